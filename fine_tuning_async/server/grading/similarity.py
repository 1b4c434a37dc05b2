"""How close two texts are, by the metrics of text similarity graders."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Score = Callable[[str, str], float]

LONGEST = 50_000
"""Characters of a text to be compared: some of the time grows with the product of both, and blocks a thread."""

ROUGE_LENGTHS = {"rouge_1": 1, "rouge_2": 2, "rouge_3": 3, "rouge_4": 4, "rouge_5": 5}

_TOKEN = re.compile(r"\w+|[^\w\s]+")
_WORD = re.compile(r"[^\W_]+")
_BLEU_ORDER = 4


class MissingLibraryError(RuntimeError):
    """A metric's library is not installed."""


def similarity(metric: str, text: str, reference: str) -> float:
    """Return how close a text is to a reference, from 0 to 1.

    Raises:
        MissingLibraryError: The metric's library is not installed.
    """
    score = METRICS[metric](text, reference)
    # What is a quotient of floats can pass 1 by the last digit.
    return min(1.0, max(0.0, float(score)))


def _fuzzy_match(text: str, reference: str) -> float:
    ratio: float = _library("rapidfuzz.fuzz").ratio(text, reference)
    return ratio / 100


def _bleu(text: str, reference: str) -> float:
    """BLEU of one sentence: smoothed (NIST), n-grams of at most the text's own length."""
    bleu, words = _library("nltk.translate.bleu_score"), _TOKEN.findall(text)
    order = min(_BLEU_ORDER, len(words))
    if not order:
        return 0.0
    smoothing = bleu.SmoothingFunction().method3
    weights = (1 / order,) * order
    score: float = bleu.sentence_bleu([_TOKEN.findall(reference)], words, weights, smoothing_function=smoothing)
    return score


def _gleu(text: str, reference: str) -> float:
    gleu = _library("nltk.translate.gleu_score")
    score: float = gleu.sentence_gleu([_TOKEN.findall(reference)], _TOKEN.findall(text))
    return score


class _NoSynonyms:
    """Stands in for WordNet, which is no package and would have to be downloaded."""

    def synsets(self, _: str) -> Sequence[object]:
        return ()


def _meteor(text: str, reference: str) -> float:
    """METEOR of equal words, equal stems; not of synonyms."""
    meteor = _library("nltk.translate.meteor_score")
    words, wanted = _TOKEN.findall(text), _TOKEN.findall(reference)
    score: float = meteor.single_meteor_score(wanted, words, wordnet=_NoSynonyms())
    return score


def _rouge_n(length: int) -> Score:
    """ROUGE-N as F1: of the n-grams of each text, how many it shares with the other."""

    def score(text: str, reference: str) -> float:
        said, wanted = (_grams(_words(each), length) for each in (text, reference))
        return _f1((said & wanted).total(), said.total(), wanted.total())

    return score


def _rouge_l(text: str, reference: str) -> float:
    """ROUGE-L as F1: of the words of each text, how many are in the longest common subsequence."""
    lcs = _library("rapidfuzz.distance").LCSseq
    said, wanted = _words(text), _words(reference)
    return _f1(lcs.similarity(said, wanted), len(said), len(wanted))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(length)), strict=False))


def _f1(shared: int, said: int, wanted: int) -> float:
    # The harmonic mean of shared / said and shared / wanted.
    return 2 * shared / (said + wanted) if shared else 0.0


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingLibraryError(name.partition(".")[0]) from error


METRICS: dict[str, Score] = {
    "fuzzy_match": _fuzzy_match,
    "bleu": _bleu,
    "gleu": _gleu,
    "meteor": _meteor,
    **{name: _rouge_n(length) for name, length in ROUGE_LENGTHS.items()},
    "rouge_l": _rouge_l,
}
"""The metrics that can be computed here: all but `cosine`, which compares embeddings."""
