"""What a heavy run tells: figures, and promises kept or broken."""

from __future__ import annotations

import attrs


@attrs.define
class Report:
    """Prints as it goes, and remembers what was broken."""

    broken: list[str] = attrs.field(factory=list)

    def tell(self, what: str, figure: float | str) -> None:
        """Print a figure."""
        text = (
            f"{figure:,}" if isinstance(figure, int) else f"{figure:,.2f}" if isinstance(figure, float) else figure
        )
        print(f"  {what:<58} {text:>10}", flush=True)

    def promise(self, what: str, *, kept: bool) -> None:
        """Print whether a promise was kept."""
        print(f"  {what:<58} {'kept' if kept else 'BROKEN':>10}", flush=True)
        if not kept:
            self.broken.append(what)
