"""`reservoir sweep` and `reservoir results` as their users meet them: what is run, kept and printed."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from commands import SWEEP, Command, toml_file

from reservoir.experiments import work
from reservoir.experiments.evaluation import make_model
from reservoir.sweeps.plan import plan_sweep

FILE = """
task = "narma10"
jobs = 1
seeds = "0:2"

[vary]
leak_rate = "0.2:0.8:2"
readout.ridge = [1e-6, 1e-3]

[set]
units = 20
density = 0.2

[task_set]
train_length = 200
test_length = 50
"""
TIMES = ("fit_seconds", "predict_seconds", "finished")


@pytest.fixture
def command(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("COLUMNS", "200")
    return command


@pytest.fixture
def runs(command: Command) -> Callable[..., list[dict[str, str]]]:
    """The rows of a store as `results --csv` writes them."""

    def call(store: str = "narma10-esn.db") -> list[dict[str, str]]:
        assert command("results", store, "--csv", "runs.csv").status == 0
        with open("runs.csv", newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    return call


Runs = Callable[..., list[dict[str, str]]]


def values(rows: list[dict[str, str]], *names: str) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def timeless(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


# A sweep


def test_a_grid_runs_every_trial_with_every_seed(command: Command, runs: Runs) -> None:
    vary = ("--vary", "leak_rate=0.2:0.8:3", "--vary", "topology=cycle,dense")
    status, out, err = command("sweep", "narma10", *SWEEP, *vary, "--seeds", "3,5")
    assert (status, err) == (0, "")
    assert "6 trials, 2 seeds: 12 done." in out
    rows = runs()
    expected = [(rate, name, seed) for rate in ("0.2", "0.5", "0.8") for name in ("cycle", "dense") for seed in ("3", "5")]
    assert values(rows, "leak_rate", "topology", "seed") == expected
    assert {(row["units"], row["density"], row["status"]) for row in rows} == {("20", "0.2", "done")}
    assert len({row["score"] for row in rows}) == 12


def test_scores_are_those_of_single_runs(command: Command, runs: Runs) -> None:
    command("sweep", "narma10", *SWEEP, "--vary", "readout.ridge=log:1e-6:1e-2:2", "--seeds", "0:2", "--split", "test")
    for row in runs():
        settings = (*SWEEP[:-2], "--set", f"readout.ridge={row['readout.ridge']}")
        single = command("run", "narma10", *settings, "--seeds", row["seed"], "--json")
        assert float(row["score"]) == pytest.approx(json.loads(single.out)["score"], rel=1e-9)


def test_the_test_split_stays_unseen_unless_asked_for(command: Command, runs: Runs) -> None:
    args = ("sweep", "narma10", *SWEEP, "--vary", "leak_rate=0.5", "--store")
    command(*args, "unseen.db")
    command(*args, "seen.db", "--split", "test")
    [unseen], [seen] = runs("unseen.db"), runs("seen.db")
    assert unseen["score"] != seen["score"] and unseen["data_hash"] == seen["data_hash"]


def test_a_model_trained_by_gradient(command: Command, runs: Runs) -> None:
    small = ("--task-set", "train_sequences=20", "--task-set", "validation_sequences=10", "--task-set", "test_sequences=5")
    short = ("--task-set", "length=10", "--set", "units=4", "--set", "training.epochs=1", "--jobs", "1")
    vary = ("--vary", "training.learning_rate=log:1e-3:1e-1:2", "--vary", "training.batch_size=5,10")
    assert command("sweep", "adding", "--model", "lstm", *vary, *small, *short).status == 0
    found = values(runs("adding-lstm.db"), "training.learning_rate", "training.batch_size", "status")
    assert found == [(rate, size, "done") for rate in ("0.001", "0.1") for size in ("5", "10")]


@pytest.mark.parametrize("strategy", ["random", "sobol", "tpe", "cmaes"])
def test_strategies_go_on_where_they_ended(command: Command, runs: Runs, strategy: str) -> None:
    vary = ("--vary", "leak_rate=0.1:1", "--vary", "readout.ridge=log:1e-9:1e-1")
    args = ("sweep", "narma10", *SWEEP, *vary, "--strategy", strategy)
    batch = ("--batch", "2") if strategy in ("tpe", "cmaes") else ()
    assert command(*args, *batch, "--trials", "3").status == 0
    few = runs()
    assert command(*args, *batch, "--trials", "7").status == 0
    more = runs()
    assert more[:3] == few and len(more) == 7
    assert command(*args, *batch, "--trials", "7", "--store", "other.db").status == 0
    assert timeless(runs("other.db")) == timeless(more)
    assert command(*args, *batch, "--trials", "7", "--store", "third.db", "--search-seed", "1").status == 0
    assert not set(values(runs("third.db"), "leak_rate")) & set(values(more, "leak_rate"))


def test_the_same_command_again_does_nothing_and_a_larger_one_what_is_new(
    command: Command, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[float, int]] = []

    def counted(name: str, parameters: dict[str, Any], seed: int) -> Any:
        done.append((parameters["leak_rate"], seed))
        return make_model(name, parameters, seed)

    monkeypatch.setattr(work, "make_model", counted)
    args = ("sweep", "narma10", *SWEEP)
    first = command(*args, "--vary", "leak_rate=0.2:0.8:3", "--seeds", "0:2")
    before = runs()
    assert sorted(done) == [(rate, seed) for rate in (0.2, 0.5, 0.8) for seed in (0, 1)]
    again = command(*args, "--vary", "leak_rate=0.2:0.8:3", "--seeds", "0:2")
    assert "6 new runs, 0 from before" in first.out
    assert again == (0, first.out.replace("6 new runs, 0 from before", "0 new runs, 6 from before"), "")
    assert runs() == before and len(done) == 6
    done.clear()
    grown = command(*args, "--vary", "leak_rate=0.2:0.8:5", "--seeds", "0:3")
    assert "5 trials, 3 seeds: 15 done." in grown.out
    assert sorted(done) == [(0.2, 2), (0.35, 0), (0.35, 1), (0.35, 2), (0.5, 2), (0.65, 0), (0.65, 1), (0.65, 2), (0.8, 2)]
    after = runs()
    assert [row for row in after if row["leak_rate"] in ("0.2", "0.5", "0.8") and row["seed"] != "2"] == before
    done.clear()
    shrunk = command(*args, "--vary", "leak_rate=0.5", "--seeds", "1")
    assert not done and "1 trial, 1 seed: 1 done" in shrunk.out and runs() == after
    assert "leak_rate=0.5 " in shrunk.out.splitlines()[-1]  # the best of this sweep, not of the store
    assert "It holds 14 runs of other sweeps, too." in shrunk.out and "more of the store.\n" in grown.out


def test_a_store_is_of_one_task_model_and_split(command: Command, runs: Runs) -> None:
    args = ("--vary", "leak_rate=0.5", *SWEEP, "--store", "sweep.db")
    command("sweep", "narma10", *args)
    before = runs("sweep.db")
    for other, told in (
        (("narma20",), "task narma10, not narma20"),
        (("narma10", "--split", "test"), "split validation, not test"),
        (("narma10", "--task-set", "washout=30"), "task options"),
    ):
        status, out, err = command("sweep", *other, *args)
        assert (status, out) == (2, "") and told in err and err.count("\n") == 1
    assert runs("sweep.db") == before


def test_failed_runs_are_told_and_counted(command: Command, runs: Runs) -> None:
    status, out, err = command("sweep", "narma10", *SWEEP, "--vary", "washout=10,5000")
    assert (status, err) == (0, "")
    assert "1 done, 1 failed" in out and "washout + 1 = 5001" in out
    assert values(runs(), "washout", "status") == [("10", "done"), ("5000", "failed")]
    status, out, err = command("sweep", "narma10", *SWEEP, "--vary", "washout=5000", "--store", "other.db")
    assert (status, err) == (1, "") and "Every run failed." in out


def test_the_best_command_runs_as_it_is_printed(command: Command) -> None:
    lists = ("--vary", "readout_from=['bias','state'],['state']", "--vary", "spectral_radius=none,0.9")
    vary = (*lists, "--vary", "readout.ridge=1e-6,1e-3")
    told = command("sweep", "narma10", *SWEEP, *vary, "--seeds", "0:2").out.splitlines()[-1]
    assert "'[" not in told and '"' not in told  # lists as a user writes them
    assert told.endswith("--seeds 2:7") and "train_length=200" in told and "units=20" in told
    words = shlex.split(told)
    assert words[0] == "reservoir"
    rows = [json.loads(line) for line in command(*words[1:], "--json").out.splitlines()]
    best = json.loads(command("results", "narma10-esn.db", "--json").out)["best"][0]["parameters"]
    assert [row["seed"] for row in rows] == [2, 3, 4, 5, 6]
    assert {name: rows[0]["params"][name] for name in best} == best


# A file


def test_a_file_is_the_command_written_down(command: Command, runs: Runs) -> None:
    assert command("sweep", *toml_file(FILE)).status == 0
    written = runs()
    vary = ("--vary", "leak_rate=0.2:0.8:2", "--vary", "readout.ridge=1e-6,1e-3")
    assert command("sweep", "narma10", *SWEEP, *vary, "--seeds", "0:2", "--store", "typed.db").status == 0
    assert timeless(written) == timeless(runs("typed.db"))
    assert len(written) == 8


@pytest.mark.parametrize(
    "text",
    [
        'leak_rate = { start = 0.2, stop = 0.8, count = 2 }\nreadout.ridge = "1e-6,1e-3"',
        'leak_rate = [0.2, 0.8]\nreadout = { ridge = { start = 1e-6, stop = 1e-3, count = 2, log = true } }',
        '"leak_rate" = "0.2,0.8"\n"readout.ridge" = "log:1e-6:1e-3:2"',
        'leak_rate = "0.2:0.8:2"\n[vary.readout]\nridge = [1e-6, 1e-3]',
        'leak_rate = "0.2:0.8:2"\nreadout__ridge = [1e-6, 1e-3]',
    ],
)  # fmt: skip
def test_ways_to_write_what_is_varied(command: Command, runs: Runs, text: str) -> None:
    head, _, rest = FILE.partition("[vary]\n")
    command("sweep", *toml_file(f"{head}[vary]\n{text}\n[set]{rest.partition('[set]')[2]}"))
    found = values(runs(), "leak_rate", "readout.ridge", "seed")
    assert found == [(rate, ridge, seed) for rate in ("0.2", "0.8") for ridge in ("1e-06", "0.001") for seed in "01"]


def test_the_command_line_goes_over_the_file(command: Command, runs: Runs) -> None:
    file = toml_file('store = "named.db"\nstrategy = "random"\ntrials = 2\n' + FILE)
    assert command("sweep", *file).status == 0
    rows = runs("named.db")
    assert len(rows) == 4 and {row["units"] for row in rows} == {"20"}
    over = ("--seeds", "7", "--store", "other.db", "--strategy", "sobol", "--trials", "3", "--set", "units=10")
    assert command("sweep", *over, *file, "--vary", "leak_rate=0.9").status == 0
    rows = runs("other.db")
    assert values(rows, "seed", "units", "leak_rate", "density") == [("7", "10", "0.9", "0.2")] * len(rows)
    assert {row["readout.ridge"] for row in rows} <= {"1e-06", "0.001"}
    assert command("sweep", "narma20", *file, "--store", "third.db").status == 0
    assert json.loads(command("results", "third.db", "--json").out)["task"] == "narma20"
    assert command("sweep", *file, "--task-set", "test_length=60", "--store", "fourth.db").status == 0
    assert json.loads(command("results", "fourth.db", "--json").out)["task_options"]["test_length"] == 60


# results


def test_results_rank_the_trials(command: Command, runs: Runs) -> None:
    command("sweep", "narma10", *SWEEP, "--vary", "leak_rate=0.2:1:5", "--seeds", "0:2")
    rows = runs()
    means: dict[float, float] = {}
    for rate in ("0.2", "0.4", "0.6", "0.8", "1.0", "1"):
        scores = [float(row["score"]) for row in rows if row["leak_rate"] == rate]
        if scores:
            means[float(rate)] = sum(scores) / len(scores)
    assert len(means) == 5
    found = json.loads(command("results", "narma10-esn.db", "--json", "--top", "3").out)
    assert (found["task"], found["model"], found["metric"], found["split"]) == ("narma10", "esn", "nmse", "validation")
    assert (found["trials"], found["done"], found["strategy"]) == (5, 10, "grid")
    assert [trial["parameters"]["leak_rate"] for trial in found["best"]] == sorted(means, key=means.__getitem__)[:3]
    assert [trial["mean"] for trial in found["best"]] == pytest.approx(sorted(means.values())[:3])
    table = command("results", "narma10-esn.db", "--top", "2").out
    assert "5 trials, 2 seeds: 10 done." in table
    assert len(re.findall(r"^ +\d+ +0\.\d|^ +\d+ +1 ", table, re.MULTILINE)) == 2


def test_a_store_without_runs_says_so(command: Command) -> None:
    from reservoir.experiments.store import Store
    from reservoir.tasks import get_task

    planned = plan_sweep(get_task("narma10"), "esn", {"leak_rate": [0.5]})
    with Store.writing("narma10-esn.db", planned.about()) as store:
        store.note(**planned.facts({}))
    status, out, err = command("results", "narma10-esn.db", "--csv", "runs.csv")
    assert (status, err) == (0, "")
    assert "0 trials, 0 seeds: no runs." in out


def test_tables_leave_columns_out_before_they_break_numbers(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    vary = (
        "--vary",
        "leak_rate=0.123456,0.234567",
        "--vary",
        "spectral_radius=0.912345",
        "--vary",
        "readout.ridge=1e-6",
    )
    command("sweep", "narma10", *SWEEP, *vary, "--seeds", "0:2")
    for columns, left in ((160, ["mean", "std", "min", "max", "runs"]), (50, ["mean", "std", "runs"])):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = command("results", "narma10-esn.db").out.splitlines()
        header = next(line for line in lines if "mean" in line)
        assert [name for name in ("mean", "std", "min", "max", "runs") if name in header.split()] == left
        assert sum("0.1235" in line for line in lines[:8]) == 1  # whole
        assert max(map(len, lines[:10])) <= columns
