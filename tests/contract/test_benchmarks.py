"""The benchmark counts what it was given, and judges by the ratios within each round."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from fine_tuning_async import FineTuningJob, from_dict
from tests.benchmarks import uploads
from tests.benchmarks.prepared import one, page
from tests.benchmarks.ratios import judged
from tests.benchmarks.report import as_json, lines
from tests.benchmarks.rounds import WrongCountError, measured, prepared_server
from tests.benchmarks.works import WORKS, Calls, Program
from tests.faulty_uploads import SmallParts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.rounds import Figures
    from tests.benchmarks.works import Work

# Ours takes 2, 3 and 8 times what the bare way takes, and the better of the official ones 10, 20 and 20 times.
FIGURES: Figures = {
    "bare": [{"cpu": 1.0}, {"cpu": 2.0}, {"cpu": 1.0}],
    "ours": [{"cpu": 2.0}, {"cpu": 6.0}, {"cpu": 8.0}],
    "openai": [{"cpu": 30.0}, {"cpu": 40.0}, {"cpu": 20.0}],
    "openai-aiohttp": [{"cpu": 10.0}, {"cpu": 50.0}, {"cpu": 30.0}],
}


def quiet(_: str) -> None:
    """Say nothing."""


def program(**sources: str) -> Work:
    return Program(title="t", unit="ms", scale=1e3, sources=sources, floor=1_000.0)


def test_ratios_are_taken_within_a_round() -> None:
    verdict = judged("w", evolve(program(bare=""), contenders=tuple(FIGURES), official=0.2), FIGURES)
    bare, official = verdict.against["bare"], verdict.against["official"]
    assert (bare.median, bare.least, bare.most) == (3.0, 2.0, 8.0)
    assert (official.median, official.least, official.most) == (0.2, 0.15, 0.4)
    assert bare.met
    assert official.met
    assert not evolve(official, target=0.19).met
    assert verdict.medians["ours"] == 6_000.0


def test_a_missed_target_is_marked_in_the_table_and_in_the_file() -> None:
    verdict = judged("w", evolve(program(bare=""), contenders=tuple(FIGURES), floor=2.9), FIGURES)
    assert "MISSED" in "\n".join(lines(verdict))
    (row,) = json.loads(as_json([verdict], {"w": FIGURES}))["rows"]
    assert row["against"]["bare"] == {"median": 3.0, "least": 2.0, "most": 8.0, "target": 2.9, "met": False}
    assert row["measured"] == FIGURES


def test_the_chart_has_no_ground_of_its_own_and_figures_as_people_write_them(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; it is in the extra bench")
    from tests.benchmarks.plot import drawn  # noqa: PLC0415 - it needs matplotlib

    verdict = judged("w", evolve(program(bare=""), contenders=tuple(FIGURES)), FIGURES)
    drawn([evolve(verdict, medians={"bare": 1_020.4, "ours": 3.14159})], tmp_path / "chart.svg")
    chart = (tmp_path / "chart.svg").read_text("utf-8")
    assert "<!--  1,020 ms  (320 x) -->" in chart
    assert "<!--  3.14 ms -->" in chart
    assert "#ffffff" not in chart, "it would shine on a dark page"


def test_contenders_take_turns() -> None:
    told: list[str] = []
    work = program(bare="import json", ours="import csv")
    figures = measured("w", work, rounds=2, port=0, tell=told.append)
    assert [each.rpartition(" ")[2] for each in told] == ["bare", "ours", "bare", "ours"]
    assert [len(each) for each in figures.values()] == [2, 2]
    assert all(each["cpu"] >= 0 for found in figures.values() for each in found)


def test_a_program_is_measured_with_the_bytecode_of_all_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    tmp_path.joinpath("imported.py").write_text("", encoding="utf-8")
    source = f"import pathlib, sys; sys.path.insert(0, {str(tmp_path)!r}); import imported; "
    source += "here = pathlib.Path(imported.__cached__); here.with_name('runs').open('a').write('x')"
    measured("w", program(ours=source), rounds=1, port=0, tell=quiet)
    assert len([*tmp_path.glob("__pycache__/imported.*.pyc")]) == 1
    assert tmp_path.joinpath("__pycache__/runs").read_text("utf-8") == "xx"  # the first is not counted


def test_a_contender_that_returns_too_little_is_no_contender() -> None:
    retrieve = WORKS["retrieve"]
    assert isinstance(retrieve, Calls)
    work = evolve(retrieve, contenders=("ours",))
    with prepared_server() as port:
        assert measured("retrieve", work, rounds=1, port=port, tell=quiet)["ours"][0]["items"] == 2_000
        with pytest.raises(WrongCountError, match="ours returned 2000 items where 2001"):
            measured("retrieve", evolve(work, count=2_001), rounds=1, port=port, tell=quiet)


async def test_every_way_to_upload_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(bytes(5_000))
    server = await asyncio.start_server(uploads.answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        figures = await uploads.measure(url, path, 2)
        async with SmallParts("k", base_url=url) as client:
            assert (await client.upload_file(b"x" * 1_000_000)).id == "file-1"
    assert {name: len(rounds) for name, rounds in figures.items()} == {
        way.__name__: 2 for way in (uploads.bare, uploads.plain, uploads.parts, uploads.iterator)
    }


def test_what_is_prepared_is_what_the_api_sends() -> None:
    document = json.loads(page(20, 40, has_more=True))
    assert (len(document["data"]), document["has_more"]) == (20, True)
    assert "00000040" in document["data"][-1]["id"]
    assert from_dict(FineTuningJob, json.loads(one())).is_terminal
