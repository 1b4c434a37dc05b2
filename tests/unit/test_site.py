"""The site: it is built from the pages without a warning, wherever Sphinx is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="Sphinx is not installed: it comes with the extra `docs`")
pytestmark = pytest.mark.site

DOCS = Path(__file__).parents[2] / "docs"


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "site" / "reference" / "client.html").read_text("utf-8")
    assert 'id="fine_tuning_async.FineTuningClient.create_job"' in page
    assert "Annotated" not in page
