"""How the pages become a site: `sphinx-build -W -n docs docs/_build`."""  # noqa: INP001 - found by its name

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import fine_tuning_async

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "fine_tuning_async"
author = "The fine_tuning_async maintainers"
copyright = author  # noqa: A001 - Sphinx's own name for it
release = version = fine_tuning_async.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
default_role = "code"  # what stands between backticks in a docstring
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"{project} {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"

autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
}
maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
napoleon_use_ivar = True

# Nothing is fetched while the site is built, so what other packages document is not linked.
nitpick_ignore_regex = [
    ("py:.*", r"(aiohttp|asyncio|collections|contextlib|datetime|os|pytest|types|typing|web)\..*"),
    ("py:class", r"URL|AbstractContextManager|Path|Random|datetime|Mapping\[str"),
    # Parts of a signature that have no name of their own for a user.
    ("py:class", r".*\b(T|M|WireObject|Deliveries|Like|Sync|Play|Hit|Scope)"),
]

_LIMITED = re.compile(r"~?(?:types|typing)\.Annotated\[(.+?), \w+\((?:[^()]|\([^()]*\))*\)\]")

_PRIVATE = re.compile(r"(, \*)?, _\w+: .*? = \w+(?=[,)])")


def as_written(
    _: Sphinx, __: str, ___: str, ____: object, _____: object, signature: str | None, result: str | None
) -> tuple[str | None, str | None]:
    """Show of a signature what a user writes: the type of a field that has a range, and nothing private."""
    return _PRIVATE.sub("", _LIMITED.sub(r"\1", signature)) if signature else None, result


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", as_written)
