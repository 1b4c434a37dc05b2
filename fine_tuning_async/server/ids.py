"""Identifiers derived from the server's seed."""

from __future__ import annotations

import base64
import string
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Job

OWNER = "local"
"""Who owns what is made here."""

_LETTERS = string.ascii_letters + string.digits
_TO_LETTER = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))


class Minter:
    """Names things so that the same seed with the same history gives the same names.

    Nothing is drawn from a generator: each id is a digest of the seed with the thing's place in the store,
    so a server that was killed goes on with the ids that it would have given anyway.

    Args:
        seed: The server's seed.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def make(self, prefix: str, *place: object, length: int = 24) -> str:
        """Return `prefix` with `length` letters or digits that belong to `place`."""
        return prefix + self._digest(prefix, place, length).translate(_TO_LETTER).decode()

    def hexadecimal(self, prefix: str, *place: object) -> str:
        """Return `prefix` with 32 hexadecimal digits that belong to `place`."""
        return prefix + self._digest(prefix, place, 16).hex()

    def secret(self, *place: object) -> str:
        """Return a webhook's secret that belongs to `place`."""
        return f"whsec_{base64.b64encode(self._digest('whsec_', place, 32)).decode()}"

    def number(self, *place: object) -> int:
        """Return a number from 0 to 2**31 - 1, the range of a job's seed, that belongs to `place`."""
        return int.from_bytes(self._digest("number", place, 4)) >> 1

    def model(self, job: Job) -> str:
        """Return the name of the model that a job makes."""
        return self._model(job, "final")

    def snapshot(self, job: Job) -> str:
        """Return the name of the checkpoint that a job takes at its step."""
        return f"{self._model(job, job.step)}:ckpt-step-{job.step}"

    def _model(self, job: Job, place: object) -> str:
        # A model trained from a fine-tuned one is named after the base of both.
        base = job.model.split(":")[1] if job.model.startswith("ft:") else job.model
        return self.make(f"ft:{base}:{OWNER}:{job.suffix or ''}:", job.seq, place, length=8)

    def _digest(self, prefix: str, place: tuple[object, ...], size: int) -> bytes:
        return blake2b(f"{self._seed}/{prefix}/{place}".encode(), digest_size=size).digest()
