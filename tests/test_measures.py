"""The task `inspect`: the measures of a reservoir as scores, with the numbers of `reservoir inspect`."""

from __future__ import annotations

from pathlib import Path

import pytest
from messages import mentions

from reservoir import ESN, Elman, ParameterError, Training, compare, inspect, run, sweep
from reservoir.diagnostics.measures import HIGHER_IS_BETTER
from reservoir.tasks import get_task


def test_a_sweep_scores_what_inspect_measures(tmp_path: Path) -> None:
    task = get_task("inspect", measure="lyapunov_exponent", steps=300)
    vary = {"spectral_radius": [0.5, 1.5]}
    report = sweep(task, "esn", vary, tmp_path / "sweep.db", settings={"units": 12, "density": 0.3}, seeds=[3], jobs=1)
    [first, second] = report.ranking()
    for trial in (first, second):
        esn = ESN(units=12, density=0.3, **trial["parameters"], random_state=3)
        assert trial["mean"] == inspect(esn, steps=300, seed=3).measures["lyapunov_exponent"]
    assert first["parameters"]["spectral_radius"] == 0.5  # forgets faster
    report.plot(tmp_path / "sweep.png")


def test_all_measures_of_one_number_are_scores(tmp_path: Path) -> None:
    report = run(get_task("inspect", measure="kernel_rank"), settings={"units": 12, "density": 0.3})
    [row] = report.rows
    measures = inspect(ESN(units=12, density=0.3, random_state=0)).measures
    assert row["scores"] == {name: measures[name] for name in HIGHER_IS_BETTER}
    assert (row["metric"], row["score"], next(iter(row["scores"]))) == ("kernel_rank", measures["kernel_rank"], "kernel_rank")
    assert "remembers" in report.plot(tmp_path / "run.png").get_suptitle()
    figure = (
        compare("inspect", ["esn", "wide=esn"], seeds=[0], settings={"units": 10, "wide__units": 20})
        .part()
        .plot(what="predictions")
    )
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [20, 2, 40, 2]  # curves, and the numbers of units


@pytest.mark.parametrize("measure", HIGHER_IS_BETTER)
def test_the_measure_says_which_is_better(measure: str) -> None:
    task = get_task("inspect", measure=measure)
    assert task.higher_is_better == (measure in ("memory_capacity", "kernel_rank"))
    assert type(task).metric == "memory_capacity" and type(task).higher_is_better  # not of the class


def test_what_cannot_be_measured_is_refused_in_one_line() -> None:
    with pytest.raises(ParameterError, match=mentions("'measure' kernel_rank")):
        get_task("inspect", measure="memory_curve")
    task = get_task("inspect")
    network = Elman(units=2, training=Training(epochs=0))
    with pytest.raises(ParameterError, match=mentions("ESN")):
        task.predict(network, task.generate(0).test)
