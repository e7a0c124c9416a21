"""docs/performance.md is what benchmarks/speed.json says; a peer that is missing is left out, and said so."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return import_module("speed_page")


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return import_module("speed_peers")


def row(**more: Any) -> dict[str, Any]:
    seconds = {"ours": {"wall": 3.0, "cpu": 2.0}, "drive": {"wall": 9.0, "cpu": 9.0}, "other 1.0": {"wall": 9.0, "cpu": 8.0}}
    plain = {"group": "fit", "name": "one", "threads": 1, "per": 1000, "unit": "ms per step", "scale": 1e3, "floor": 1.6}
    return plain | {"bound": "products", "seconds": seconds} | more


def test_a_table_takes_processor_time_on_one_thread_and_elapsed_time_on_two(page: ModuleType) -> None:
    lines = page.group_table([row(), row(threads=2, floor=None)]).splitlines()
    assert lines[0] == "|  | threads | reservoir | floor | of the floor | other 1.0 |"
    # 2 s / 1000 steps = 2 ms; 2 / 1.6 = 1.25 floors; 8 / 2 = 4 times
    assert lines[2:] == ["| one | 1 | 2.00 ms | 1.60 | 1.25 | 8.00 (4.0×) |", "| one | 2 | 3.00 ms |  |  | 9.00 (3.0×) |"]


def test_the_page_is_that_of_the_recorded_run(page: ModuleType) -> None:
    found = json.loads((ROOT / "benchmarks" / "speed.json").read_text(encoding="utf-8"))
    assert page.page(found) == (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_new_rows_replace_those_of_their_group_and_threads_and_others_stay(page: ModuleType) -> None:
    old = {"machine": 1, "rates": {"1": 1, "2": 1}, "rows": [row(name="old"), row(threads=2), row(group="drive")]}
    new = {"machine": 2, "rates": {"1": 2}, "rows": [row()]}
    kept = {"machine": 2, "rates": {"1": 2, "2": 1}, "rows": [row(), row(threads=2), row(group="drive")]}
    assert page.merged(old, new) == kept


def test_a_peer_that_cannot_be_imported_is_left_out_and_said_so(peers: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert peers.ask("rclib", sys.executable, [{"group": "drive", "threads": 1}]) == ("", [None])
    assert capsys.readouterr().err.startswith("rclib is left out of drive: ModuleNotFoundError: No module named 'rclib'")
