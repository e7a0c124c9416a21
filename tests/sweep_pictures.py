"""Made-up sweeps, and what is drawn of them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reservoir.sweeps.report import SweepReport
from reservoir.sweeps.summary import RunTable


def report(
    trials: list[dict[str, Any]], scores: Any, strategy: str = "grid", higher: bool = False, metric: str = "nmse"
) -> SweepReport:
    """From scores (trials, seeds); a run whose score is NaN has failed."""
    score = np.array(scores, dtype=float).reshape(len(trials), -1)
    seeds = score.shape[1]
    failed = np.isnan(score).ravel()
    about = {"task": "narma10", "model": "esn", "metric": metric, "higher_is_better": higher, "split": "validation"}
    runs = RunTable(
        about={**about, "strategy": strategy},
        trials=trials,
        trial=np.repeat(np.arange(len(trials)), seeds),
        seed=np.tile(np.arange(seeds), len(trials)),
        score=score.ravel(),
        status=np.where(failed, "failed", "done"),
        error=["it broke\nbadly" if bad else None for bad in failed],
    )
    return SweepReport(runs, Path("sweep.db"))


def pairs(**values: Any) -> list[dict[str, Any]]:
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def found(axes: Axes, kind: Any) -> list[Any]:
    return [artist for artist in axes.get_children() if isinstance(artist, kind)]


def drawn(axes: Axes, label: str) -> Any:
    """The one thing whose legend starts with a text."""
    [artist] = [artist for artist in axes.get_children() if str(artist.get_label()).startswith(label)]
    return artist


def points(axes: Axes, label: str) -> np.ndarray:
    line = drawn(axes, label)
    assert isinstance(line, Line2D)
    return np.asarray(line.get_xydata())


def legend(axes: Axes) -> list[str]:
    shown = axes.get_legend()
    return [] if shown is None else [text.get_text() for text in shown.get_texts()]
