"""The files of pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from messages import mentions

from reservoir import ESN, ParameterError, plotting
from reservoir.diagnostics.reservoirs import ReservoirReport

STUB = (
    "made = {'rmse': {'forecast': 1.0, 'seasonal naive': 2.0}, 'column': 'x', 'horizon': 2, 'season': 1, 'origins': 3}\n"
    "band = Some(names=('x',), values=np.ones((2, 1)), levels=(80.0,), lower=np.zeros((1, 2, 1)), upper=np.ones((1, 2, 1)))\n"
    "one = Some(group=None, forecast=band, places=lambda: (np.arange(9), np.eye(9)[:, :1], np.arange(9, 11)))\n"
    "record = {**made, 'group': None, 'step': None, 'verdict': None}\n"
    "report = Some(groups=[one], ranked=lambda: [(one, 0)], records=lambda: [record])\n"
)

"""A report that can be drawn."""


def small_figure() -> Figure:
    names: dict[str, Any] = {"np": np, "Some": SimpleNamespace}
    exec(STUB, names)
    return plotting.forecast_figure(names["report"])


@pytest.fixture
def figure() -> Figure:
    return small_figure()


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89PNG")])
def test_the_suffix_is_the_format(figure: Figure, tmp_path: Path, suffix: str, start: bytes) -> None:
    first, second = tmp_path / f"one.{suffix}", str(tmp_path / f"two.{suffix}")
    plotting.save(figure, first)
    plotting.save(small_figure(), second)
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == Path(second).read_bytes()  # no dates, no random names
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"one.{suffix}", f"two.{suffix}"]


@pytest.mark.parametrize("name", ["picture.jpg", "picture", ".png", "picture.png.txt"])
def test_an_unknown_suffix_is_refused(figure: Figure, tmp_path: Path, name: str) -> None:
    for refuse in (lambda path: plotting.save(figure, path), plotting.check):
        with pytest.raises(ParameterError, match=mentions("file")) as caught:
            refuse(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_check_names_the_format() -> None:
    assert plotting.check("somewhere/picture.SVG") == "svg"


def test_a_failure_leaves_the_old_file_alone(figure: Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match=mentions("disk full")):
        plotting.save(figure, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError):
        plotting.save(figure, tmp_path / "no such directory" / "picture.png")


def test_the_users_style_is_neither_used_nor_changed(figure: Figure, tmp_path: Path) -> None:
    plotting.save(figure, tmp_path / "one.svg")
    with matplotlib.rc_context({"text.usetex": True, "axes.facecolor": "black", "font.size": 30, "xtick.labelsize": 3}):
        before = dict(matplotlib.rcParams)
        plotting.save(small_figure(), tmp_path / "two.svg")
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_the_finding_stands_above_the_settings() -> None:
    figure = plotting.style.new_figure("$ found\nsettings of $ 2 " + "and more " * 100)
    [about] = figure.findobj(Annotation)
    figure.draw_without_rendering()
    finding, beneath = figure.get_suptitle(), about.get_text()
    assert finding.rstrip() == r"\$ found" and beneath.startswith(r"settings of \$ 2 and more") and beneath.endswith(" …")
    assert beneath.count("\n") == 2


def test_without_matplotlib_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reservoir = ESN(units=5, density=1.0, random_state=0).build(1).reservoir_
    task = SimpleNamespace(kind="filter")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (
        lambda: plotting.check(tmp_path / "picture.png"),
        lambda: plotting.task_figure(task, None, None, ""),
        lambda: plotting.forecast_figure(None, "sales.csv"),
        lambda: plotting.backtest_figure(None, "sales.csv"),
        lambda: plotting.inspect_figure(ReservoirReport(reservoir, {"memory_curve": np.ones(2)})),
    ):
        with pytest.raises(ParameterError) as caught:
            draw()
        assert str(caught.value) == "pictures need matplotlib: pip install 'clockwork-reservoir[plot]'"


def test_importing_the_module_does_not_import_matplotlib() -> None:
    code = "import sys, reservoir.plotting; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_drawing_needs_no_display_and_no_pyplot() -> None:
    code = (
        "import sys, numpy as np\nfrom types import SimpleNamespace as Some\nfrom reservoir import plotting\n"
        + STUB
        + "plotting.forecast_figure(report)\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
