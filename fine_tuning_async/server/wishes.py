"""What a create request asks for, once it has been checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """The body of a create request, checked, with its defaults filled in."""

    model: str
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int | None
    method: str
    settings: dict[str, object]
    integrations: list[object]
    metadata: dict[str, str] | None
