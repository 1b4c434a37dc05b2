"""The metrics of text similarity, held against figures reckoned by hand, or by the reference implementations."""

from __future__ import annotations

import math
import sys

import pytest

from fine_tuning_async.server.grading.similarity import METRICS, MissingLibraryError, similarity

BED = "the cat was found under the bed"
BED_WANTED = "the cat was under the bed"
FOX = "The Quick, brown fox jumps over the lazy dog"
FOX_WANTED = "the quick brown dog jumped over the lazy fox."
POLICE, POLICE_WANTED = "police killed the gunman", "police kill the gunman"
ROUGES = ("rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l")


@pytest.mark.parametrize(
    ("text", "reference", "figures"),
    [
        # rouge-score 0.1.2, fmeasure, without stemming.
        (BED, BED_WANTED, [0.923077, 0.727273, 0.444444, 0, 0, 0.923077]),
        (FOX, FOX_WANTED, [0.888889, 0.5, 0.285714, 0, 0, 0.666667]),
        (POLICE, POLICE_WANTED, [0.75, 0.333333, 0, 0, 0, 0.75]),
        ("a b c d e f", "a b c d e f", [1, 1, 1, 1, 1, 1]),
        ("the the the", "the cat", [0.4, 0, 0, 0, 0, 0.4]),
        # By hand: it knows letters of every script.
        ("Привет, мир", "привет мир", [1, 1, 0, 0, 0, 1]),
    ],
)
def test_rouge_is_the_f1_of_shared_ngrams(text: str, reference: str, figures: list[float]) -> None:
    found = [similarity(name, text, reference) for name in ROUGES]
    assert found == pytest.approx(figures, abs=5e-7)


def test_rouge_l_is_about_the_order_of_words() -> None:
    # The longest common subsequence is "a c d"; 3 of 4 words on each side.
    assert similarity("rouge_l", "a b c d", "a c b d") == 0.75
    assert similarity("rouge_1", "a b c d", "a c b d") == 1
    assert similarity("rouge_l", "d c b a", "a b c d") == 0.25


@pytest.mark.parametrize(
    ("text", "reference", "figure"),
    [
        # sacrebleu 2.6.0, sentence_bleu / 100.
        (BED, BED_WANTED, 0.41113361690051975),
        (POLICE, POLICE_WANTED, 0.35355339059327373),
        ("a b c d e f", "a b c d e f", 1),
        # By hand: one word of one; the brevity penalty e ** (1 - 2/1).
        ("Paris", "Paris", 1),
        ("Paris", "Paris France", math.exp(-1)),
        ("", "Paris", 0),
        ("Paris", "", 0),
        ("x y", "a b", 0),
    ],
)
def test_bleu_is_that_of_a_sentence(text: str, reference: str, figure: float) -> None:
    assert similarity("bleu", text, reference) == pytest.approx(figure, rel=1e-12)


def test_bleu_is_of_the_input_against_the_reference() -> None:
    # A short input is punished by brevity, a long one by precision.
    assert similarity("bleu", "a b", "a b c d") == pytest.approx(math.exp(1 - 4 / 2))
    assert similarity("bleu", "a b c d", "a b") != similarity("bleu", "a b", "a b c d")


@pytest.mark.parametrize(
    ("text", "reference", "figure"),
    [
        # By hand: n-grams of 1 to 4 that both share, over those of the longer one.
        ("the the the", "the cat", 1 / 6),
        ("a b c", "a b c", 1),
        ("a b c d", "a b", 3 / 10),
        ("a b", "a b c d", 3 / 10),
        ("x", "y", 0),
        ("", "", 0),
    ],
)
def test_gleu_is_the_lesser_of_precision_and_recall(text: str, reference: str, figure: float) -> None:
    assert similarity("gleu", text, reference) == pytest.approx(figure, rel=1e-12)


def _meteor(shared: int, said: int, wanted: int, chunks: int) -> float:
    """METEOR as published by Banerjee and Lavie, with the weights that are customary since."""
    precision, recall = shared / said, shared / wanted
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    return mean * (1 - 0.5 * (chunks / shared) ** 3)


@pytest.mark.parametrize(
    ("text", "reference", "figure"),
    [
        (BED, BED_WANTED, _meteor(6, 7, 6, 2)),
        # "killed" and "kill" have one stem.
        (POLICE, POLICE_WANTED, _meteor(4, 4, 4, 1)),
        ("The Cat", "the cat sat", _meteor(2, 2, 3, 1)),
        ("Paris", "Paris", 0.5),
        # Without WordNet a synonym is another word.
        ("a big car", "a large car", _meteor(2, 3, 3, 2)),
        ("x", "y", 0),
        ("", "", 0),
    ],
)
def test_meteor_counts_words_and_stems_and_no_synonyms(text: str, reference: str, figure: float) -> None:
    assert similarity("meteor", text, reference) == pytest.approx(figure, rel=1e-12)


def test_meteor_is_of_the_input_against_the_reference() -> None:
    # It weighs recall, what of the reference was said, nine times as much as precision.
    assert similarity("meteor", "a b c d", "a b") > similarity("meteor", "a b", "a b c d")


@pytest.mark.parametrize(
    ("text", "reference", "figure"),
    [
        ("Zürich", "Zürich", 1),
        ("abcd", "abxd", 0.75),  # 2 * 3 characters in common, of 8
        ("ABC", "abc", 0),
        ("", "", 1),
        ("abc", "", 0),
        ("John Smth", "John Smith", 18 / 19),
    ],
)
def test_a_fuzzy_match_is_the_share_of_characters_in_common(text: str, reference: str, figure: float) -> None:
    assert similarity("fuzzy_match", text, reference) == pytest.approx(figure, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_stays_between_0_and_1(metric: str) -> None:
    for text, reference in ((BED, BED_WANTED), (BED, BED), ("", BED), (BED, ""), ("!?", "!?"), ("\n", " ")):
        assert 0 <= similarity(metric, text, reference) <= 1


@pytest.mark.parametrize(
    ("metric", "module", "library"),
    [
        ("fuzzy_match", "rapidfuzz.fuzz", "rapidfuzz"),
        ("rouge_l", "rapidfuzz.distance", "rapidfuzz"),
        ("bleu", "nltk.translate.bleu_score", "nltk"),
        ("gleu", "nltk.translate.gleu_score", "nltk"),
        ("meteor", "nltk.translate.meteor_score", "nltk"),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, metric: str, module: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as the import system marks what cannot be imported
    with pytest.raises(MissingLibraryError) as caught:
        similarity(metric, "a", "b")
    assert str(caught.value) == library
    assert similarity("rouge_1", "a", "a") == 1
