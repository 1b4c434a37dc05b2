"""A chart as a page that needs nothing beside itself, and follows the reader's light or dark setting."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from .picture import DARK, LIGHT, draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .curves import Curve, Run

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
        color: {light.ink}; background: {light.paper}; }}
img {{ width: 100%; height: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: 0.9rem; }}
th, td {{ text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid {light.grid}; }}
td.model {{ overflow-wrap: anywhere; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: {dark.ink}; background: {dark.paper}; }}
  th, td {{ border-color: {dark.grid}; }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
<picture>
<source media="(prefers-color-scheme: dark)" srcset="{dark_picture}">
<img src="{light_picture}" alt="{alt}">
</picture>
<table>
<thead><tr><th>job</th><th>model</th><th>status</th>{headings}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def page(runs: Sequence[Run], panels: Mapping[str, Sequence[Curve]], over: int | None) -> bytes:
    """Return the page, with the last figures of each run in a table."""
    columns = list(dict.fromkeys((panel, curve.kind) for panel, curves in panels.items() for curve in curves))
    title = f"Fine-tuning: {', '.join(run.label for run in runs)}"
    pictures = [_data_url(draw(panels, theme=theme, suffix="svg", over=over)) for theme in (LIGHT, DARK)]
    text = PAGE.format(
        title=escape(title),
        light=LIGHT,
        dark=DARK,
        light_picture=pictures[0],
        dark_picture=pictures[1],
        alt=escape(f"{' and '.join(panels)} over steps; the last values are in the table below"),
        headings="".join(f'<th class="number">{kind} {panel}</th>' for panel, kind in columns),
        rows="\n".join(_row(run, columns) for run in runs),
    )
    return text.encode()


def _row(run: Run, columns: Sequence[tuple[str, str]]) -> str:
    last = {(panel, curve.kind): curve.points[-1][1] for panel, _ in columns for curve in run.curves(panel)}
    words = {"job": run.label, "model": run.job.fine_tuned_model or run.job.model, "status": run.job.status}
    figures = (f"{last[column]:.4g}" if column in last else "" for column in columns)
    cells = [*words.items(), *(("number", text) for text in figures)]
    return "".join(["<tr>", *(f'<td class="{kind}">{escape(text)}</td>' for kind, text in cells), "</tr>"])


def _data_url(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"
