"""`reservoir sweep` and `reservoir results` as their users meet them: what is run, kept and printed, and what is refused."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Command, Refused

from reservoir.experiments.evaluation import make_model
from reservoir.sweeps import plan_sweep, work

SMALL = (
    "--set", "units=20", "--set", "density=0.2", "--task-set", "train_length=200", "--task-set", "test_length=50", "--jobs", "1",
)  # fmt: skip
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
def refused(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """As everywhere, and before any work."""

    def call(*args: str) -> str:
        with monkeypatch.context() as patch:
            patch.setattr("reservoir.sweeps.driver.run_chunk", lambda chunk: pytest.fail("there should be no work"))
            return refused(*args)

    return call


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


def from_file(text: str = FILE, name: str = "sweep.toml") -> tuple[str, str]:
    Path(name).write_text(text, encoding="utf-8")
    return "--file", name


# A sweep


def test_a_grid_runs_every_trial_with_every_seed(command: Command, runs: Runs) -> None:
    vary = ("--vary", "leak_rate=0.2:0.8:3", "--vary", "topology=cycle,dense")
    status, out, err = command("sweep", "narma10", *SMALL, *vary, "--seeds", "3,5")
    assert (status, err) == (0, "")
    assert "6 trials, 2 seeds: 12 done." in out
    rows = runs()
    expected = [(rate, name, seed) for rate in ("0.2", "0.5", "0.8") for name in ("cycle", "dense") for seed in ("3", "5")]
    assert values(rows, "leak_rate", "topology", "seed") == expected
    assert {(row["units"], row["density"], row["status"]) for row in rows} == {("20", "0.2", "done")}
    assert len({row["score"] for row in rows}) == 12


def test_scores_are_those_of_single_runs(command: Command, runs: Runs) -> None:
    command("sweep", "narma10", *SMALL, "--vary", "readout.ridge=log:1e-6:1e-2:2", "--seeds", "0:2", "--split", "test")
    for row in runs():
        settings = (*SMALL[:-2], "--set", f"readout.ridge={row['readout.ridge']}")
        single = command("run", "narma10", *settings, "--seeds", row["seed"], "--json")
        assert float(row["score"]) == pytest.approx(json.loads(single.out)["score"], rel=1e-9)


def test_the_test_split_stays_unseen_unless_asked_for(command: Command, runs: Runs) -> None:
    args = ("sweep", "narma10", *SMALL, "--vary", "leak_rate=0.5", "--store")
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
    args = ("sweep", "narma10", *SMALL, *vary, "--strategy", strategy)
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
    args = ("sweep", "narma10", *SMALL)
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
    assert not done and "15 done" in shrunk.out and runs() == after


def test_a_store_is_of_one_task_model_and_split(command: Command, runs: Runs) -> None:
    args = ("--vary", "leak_rate=0.5", *SMALL, "--store", "sweep.db")
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
    status, out, err = command("sweep", "narma10", *SMALL, "--vary", "washout=10,5000")
    assert (status, err) == (0, "")
    assert "1 done, 1 failed" in out and "washout + 1 = 5001" in out
    assert values(runs(), "washout", "status") == [("10", "done"), ("5000", "failed")]
    status, out, err = command("sweep", "narma10", *SMALL, "--vary", "washout=5000", "--store", "other.db")
    assert (status, err) == (1, "") and "Every run failed." in out


def test_the_best_command_runs_as_it_is_printed(command: Command) -> None:
    lists = ("--vary", "readout_from=['bias','state'],['state']", "--vary", "spectral_radius=none,0.9")
    vary = (*lists, "--vary", "readout.ridge=1e-6,1e-3")
    told = command("sweep", "narma10", *SMALL, *vary, "--seeds", "0:2").out.splitlines()[-1]
    assert told.endswith("--seeds 2:7") and "train_length=200" in told and "units=20" in told
    words = shlex.split(told)
    assert words[0] == "reservoir"
    rows = [json.loads(line) for line in command(*words[1:], "--json").out.splitlines()]
    best = json.loads(command("results", "narma10-esn.db", "--json").out)["best"][0]["parameters"]
    assert [row["seed"] for row in rows] == [2, 3, 4, 5, 6]
    assert {name: rows[0]["params"][name] for name in best} == best


# A file


def test_a_file_is_the_command_written_down(command: Command, runs: Runs) -> None:
    assert command("sweep", *from_file()).status == 0
    written = runs()
    vary = ("--vary", "leak_rate=0.2:0.8:2", "--vary", "readout.ridge=1e-6,1e-3")
    assert command("sweep", "narma10", *SMALL, *vary, "--seeds", "0:2", "--store", "typed.db").status == 0
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
    command("sweep", *from_file(f"{head}[vary]\n{text}\n[set]{rest.partition('[set]')[2]}"))
    found = values(runs(), "leak_rate", "readout.ridge", "seed")
    assert found == [(rate, ridge, seed) for rate in ("0.2", "0.8") for ridge in ("1e-06", "0.001") for seed in "01"]


def test_the_command_line_goes_over_the_file(command: Command, runs: Runs) -> None:
    file = from_file('store = "named.db"\nstrategy = "random"\ntrials = 2\n' + FILE)
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


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("trials = 2.5", ["'trials' must be an integer", "Got 2.5"]),
        ("trials = true", ["'trials' must be an integer", "Got True"]),
        ("trials = 'ten'", ["'trials' must be an integer", "Got 'ten'"]),
        ("trials = 0", ["'--trials'", "x>=1"]),
        ("jobs = 1.9", ["'jobs' must be an integer"]),
        ("batch = [1]", ["'batch' must be an integer", "Got [1]"]),
        ("batch = 0", ["'--batch'", "x>=1"]),
        ("search_seed = '1'", ["'search_seed' must be an integer"]),
        ("search_seed = -1", ["'--search-seed'", "x>=0"]),
        ("prune = 'no'", ["'prune' must be true or false", "Got 'no'"]),
        ("retry = 1", ["'retry' must be true or false", "Got 1"]),
        ("seeds = 1.5", ["'seeds' must be text as 0:5, an integer, or a list", "Got 1.5"]),
        ("seeds = [0, 1.5]", ["'--seeds'", "Got [0, 1.5]"]),
        ("seeds = [true]", ["'--seeds'", "Got [True]"]),
        ("seeds = [[0]]", ["'--seeds'"]),
        ("seeds = []", ["'--seeds'", "Got []"]),
        ("seeds = -1", ["'--seeds'", "Got -1"]),
        ("seeds = '5:0'", ["'--seeds'", "Got '5:0'"]),
        ("seeds = 1979-05-27", ["'seeds' must be", "datetime.date(1979, 5, 27)"]),
        ("task = 3", ["'task' must be text", "Got 3"]),
        ("task = 'narma11'", ["no task 'narma11'", "Did you mean narma10"]),
        ("model = ['esn']", ["'model' must be text", "Got ['esn']"]),
        ("model = 'esm'", ["no model 'esm'"]),
        ("strategy = 3", ["'strategy' must be text"]),
        ("strategy = 'gird'", ["no strategy 'gird'", "Did you mean grid?"]),
        ("split = 'train'", ["'--split'", "'train'"]),
        ("store = 3", ["'store' must be text"]),
        ("data = 3", ["'data' must be text"]),
        ("start = 'a'", ["'start' must be a number"]),
        ("start = 1", ["--start is for tasks with the option 'start'"]),
        ("scheduler = 1", ["'scheduler' must be text"]),
        ("storre = 'a'", ["no option 'storre'", "Did you mean store", "Known: ", "search_seed"]),
        ("search-seed = 1", ["no option 'search-seed'", "Did you mean search_seed"]),
        ("file = 'a'", ["no option 'file'"]),
        ("settings = 1", ["no option 'settings'"]),
        ("set = 'x'", ["'set' must be a table", "Got 'x'"]),
        ("task_set = [1]", ["'task_set' must be a table"]),
        ("vary = 3", ["'vary' must be a table", "Got 3"]),
        ("[vary]", ["nothing to vary"]),
        ("vary.leak_rate = {}", ["vary leak_rate: 'start'", "Got None"]),
        ("vary.leak_rate = {start=0.1, stop=1, cuont=3}", ["no 'cuont'", "Did you mean count?"]),
        ("vary.leak_rate = {start=0.1, stop=1, count=3.0}", ["'count'", "Got 3.0"]),
        ("vary.leak_rate = {low=0.1, high=1}", ["'leak_rate'", "no parts"]),
        ("vary.leak_rate = 1979-05-27", ["vary leak_rate", "datetime.date"]),
        ("vary.leak_rate = [nan]", ["vary leak_rate", "Got nan"]),
        ("vary.leak_rate = [{a = 1}]", ["vary leak_rate", "{'a': 1}"]),
        ("vary.leak_rate = ''", ["'leak_rate'", "Got ''"]),
        ("vary.leak_rate = [1, 1.0]", ["there twice"]),
        ("vary.readout.ridge = 1\nvary.'readout.ridge' = 2", ["'readout.ridge' is there twice"]),
        ("vary.readout.'' = 1", ["no parameter 'readout.'"]),
        ("vary.leek_rate = [1]", ["'leek_rate'", "Did you mean leak_rate?"]),
        ("set.leak_rate = 1\nvary.leak_rate = 1", ["'leak_rate' is both varied and set"]),
        ("set.units = '20'\nvary.leak_rate = 1", ["'units'", "Got '20'"]),
        ("set.units = 1979-05-27\nvary.leak_rate = 1", ["'units'", "datetime.date"]),
        ("task_set.tset_length = 3", ["'tset_length'", "Did you mean test_length"]),
        ("x", ["is not TOML", "at line 1"]),
        ("task = 'narma10'\ntask = 'narma10'", ["is not TOML", "at line 2"]),
        ("a = " + "[" * 5000, ["is not TOML"]),
        ("vary." + ".".join("a" * 5000) + " = 1", ["is not TOML"]),
        ("a = " + "1" * 5000, ["is not TOML"]),
        ("set.units = 0x" + "f" * 5000, ["is not TOML"]),
    ],
)  # fmt: skip
def test_bad_files(refused: Refused, line: str, parts: list[str]) -> None:
    name = line.split(".")[0].split()[0]
    rest = "" if name in ("task", "x", "a") else 'task = "narma10"\n'
    if "vary" not in line and not rest.startswith("[") and name not in ("set", "task_set"):
        rest += '[vary]\nleak_rate = "0.2:0.8:2"\n'
    err = refused("sweep", *from_file(f"{line}\n{rest}" if line != "[vary]" else f"{rest}{line}\n"))
    for part in parts:
        assert part in err
    assert len(err) < 1000


def test_files_that_cannot_be_read(refused: Refused) -> None:
    Path("folder").mkdir()
    Path("bytes.toml").write_bytes(b"\xff\xfe")
    assert "absent.toml: No such file" in refused("sweep", "--file", "absent.toml")
    assert "folder: Is a directory" in refused("sweep", "--file", "folder")
    assert "bytes.toml: is not TOML" in refused("sweep", "--file", "bytes.toml")
    assert "'TASK'" in refused("sweep", *from_file(""))
    assert "'TASK'" in refused("sweep", *from_file("[vary]\nunits = [5]"))


# Bad input


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("", ["nothing to vary", "spectral_radius=0.1:1.5:15"]),
        ("--vary leak_rate=", ["'--vary'", "NAME=VALUES", "Got 'leak_rate='"]),
        ("--vary leak_rate", ["'--vary'", "NAME=VALUES"]),
        ("--vary ''", ["'--vary'", "NAME=VALUES"]),
        ("--vary =1:2", ["'--vary'", "NAME=VALUES"]),
        ("--vary", ["'--vary'"]),
        ("--vary leak_rate=:", ["vary leak_rate", "'start'", "Got ''"]),
        ("--vary leak_rate=::", ["vary leak_rate", "'start'", "Got ''"]),
        ("--vary leak_rate=:::", ["'leak_rate'", "Got ':::'"]),
        ("--vary leak_rate==", ["'leak_rate'", "Got '='"]),
        ("--vary leak_rate=log:", ["vary leak_rate", "Got 'log'"]),
        ("--vary leak_rate=log::", ["vary leak_rate", "Got ''"]),
        ("--vary leak_rate=log:0:1:3", ["must lie above 0", "Got 0 to 1"]),
        ("--vary leak_rate=0.5:0.1:3", ["must rise", "Got 0.5 to 0.1"]),
        ("--vary leak_rate=0.1:0.5:0", ["'count'", "Got 0"]),
        ("--vary leak_rate=0.1:0.5:1000000000", ["'count'", "[1, 100000]", "Got 1000000000"]),
        ("--vary leak_rate=0.1:0.5:1e9", ["'count'", "Got 1000000000.0"]),
        ("--vary leak_rate=0.1:0.5:100000000000000000000000", ["'count'"]),
        ("--vary leak_rate=0.1:0.5", ["needs the number of values, as 0.1:0.5:10"]),
        ("--vary leak_rate=0.1:1.5:3", ["'leak_rate'", "(0, 1]", "Got 1.5"]),
        ("--vary leek_rate=0.1:0.5:3", ["'leek_rate'", "Did you mean leak_rate?"]),
        ("--vary λ=0.1:0.5:3", ["'λ'", "Known: units"]),
        ("--vary leak_rate=½", ["'leak_rate'", "Got '½'"]),
        ("--vary readout.rigde=1,2", ["'rigde'", "Did you mean ridge?"]),
        ("--vary readout.=1,2", ["no parameter 'readout.'"]),
        ("--vary .ridge=1,2", ["no parameter '.ridge'"]),
        ("--vary leak_rate=0.1,0.1", ["0.1 is there twice"]),
        ("--vary leak_rate=0.1 --set leak_rate=0.2", ["'leak_rate' is both varied and set"]),
        ("--vary units=10.5:20:3", ["vary units: takes integers"]),
        ("--vary units=0x" + "f" * 5000, ["'units'", "Got '0xfff"]),
        ("--vary units=-5:5:3", ["'units'", "Got -5"]),
        ("--vary topology=cycle,cylce", ["'topology'", "Did you mean cycle"]),
        ("--vary topology_options.jmp=3 --set topology=cycle_jumps", ["'jmp'", "Did you mean jump?"]),
        ("--vary training.epochs=1:3:3", ["'training'", "ESN has no such parameter"]),
        ("--vary random_state=1:3:3", ["'random_state' cannot be varied"]),
        ("--vary units=5 --set leak_rate=5", ["'leak_rate'", "Got 5"]),
        ("--vary units=5 --set leek_rate=5", ["Did you mean leak_rate?"]),
        ("--vary units=5 --task-set tset_length=5", ["Did you mean test_length"]),
        ("--vary units=5 --seeds 5:0", ["'--seeds'", "Got '5:0'"]),
        ("--vary units=5 --seeds ''", ["'--seeds'", "Got ''"]),
        ("--vary units=5 --seeds :", ["'--seeds'"]),
        ("--vary units=5 --seeds 0,0", ["'--seeds'", "none twice"]),
        ("--vary units=5 --seeds 1e3", ["'--seeds'"]),
        ("--vary units=5 --seeds 0:1:2", ["'--seeds'"]),
        ("--vary units=5 --seeds 99999999999999999999", ["[0, 2^63)", "99999999999999999999"]),
        ("--vary units=5 --model esm", ["no model 'esm'", "Did you mean esn"]),
        ("--vary units=5 --model ''", ["no model ''"]),
        ("--vary units=5 --split train", ["'--split'", "'train'"]),
        ("--vary units=5 --strategy gird", ["no strategy 'gird'", "Did you mean grid?"]),
        ("--vary units=5 --strategy ''", ["no strategy ''"]),
        ("--vary units=5 --strategy random", ["needs the number of trials"]),
        ("--vary units=5 --strategy random --trials 0", ["'--trials'", "x>=1"]),
        ("--vary units=5 --strategy random --trials 1e3", ["'--trials'", "'1e3'"]),
        ("--vary units=5 --strategy sobol --trials 99999999999999999999", ["'trials'", "[1, 1000000000]"]),
        ("--vary units=5 --strategy random --trials 3 --batch 3", ["A batch is for the strategies tpe and cmaes"]),
        ("--vary units=5 --strategy tpe --trials 3 --batch 0", ["'--batch'", "x>=1"]),
        ("--vary units=5 --strategy tpe --trials 3 --search-seed 9999999999", ["'search_seed'", "[0, 4294967295]"]),
        ("--vary units=5 --strategy tpe --trials 3 --prune", ["Pruning is for models trained in epochs"]),
        ("--vary units=5 --strategy cmaes --trials 3", ["two or more ranges", "Lists: units"]),
        ("--vary units=5 --trials 3", ["A grid tries every point"]),
        ("--vary units=5 --prune", ["Pruning compares with earlier trials"]),
        ("--vary units=5 --jobs 0", ["'--jobs'", "x>=1"]),
        ("--vary units=5 --data x", ["--data is for tasks with the option 'path'"]),
        ("--vary units=5 more", ["(more)"]),
        ("--vary units=5 --vray units=6", ["'--vray'", "--vary"]),
    ],
)
def test_bad_input(refused: Refused, args: str, parts: list[str]) -> None:
    err = refused("sweep", "narma10", *shlex.split(args))
    for part in parts:
        assert part in err
    assert len(err) < 1000


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("sweep", ["'TASK'", "sweep --help."]),
        ("sweep --vary units=5", ["'TASK'"]),
        ("sweep narma11 --vary units=5", ["no task 'narma11'", "Did you mean narma10"]),
        ("sweep '' --vary units=5", ["no task ''"]),
        ("sweep csv --vary units=5", ["'path'", "CSV file"]),
        ("sweep csv --data absent.csv --vary units=5", ["absent.csv", "no such file"]),
        ("sweep adding --model lstm --vary units=5 --set training.checkpoint=a", ["'training.checkpoint'", "single training"]),
        ("sweep adding --model lstm --vary training=1,2", ["'training'", "Got 1"]),
        ("sweep adding --model lstm --vary training.optimizer=adam,adma", ["'optimizer'", "Did you mean adam"]),
        ("results", ["'STORE'", "results --help."]),
        ("results absent.db", ["absent.db: there is no such store"]),
        ("results folder", ["folder", "no such store"]),
        ("results note.txt", ["note.txt", "not"]),
        ("results note.txt --top 0", ["'--top'", "x>=1"]),
        ("results note.txt --csv absent/runs.csv", ["absent: no such folder"]),
        ("results note.txt --csv note.txt", ["note.txt", "is the input"]),
        ("results note.txt --csv folder", ["folder: Is a directory"]),
        ("results note.txt --plot picture.bmp", [".png, .svg or .pdf"]),
        ("results note.txt --csv a.png --plot a.png", ["another output"]),
    ],
)
def test_more_bad_input(refused: Refused, args: str, parts: list[str]) -> None:
    Path("folder").mkdir()
    Path("note.txt").write_text("nothing of ours, and long enough to be looked at " * 50, encoding="utf-8")
    err = refused(*shlex.split(args))
    for part in parts:
        assert part in err


@pytest.mark.parametrize("store", ["folder", "absent/narma10-esn.db"])
def test_stores_that_cannot_be_written(refused: Refused, store: str) -> None:
    Path("folder").mkdir()
    assert store.split("/")[0] in refused("sweep", "narma10", *SMALL, "--vary", "leak_rate=0.5", "--store", store)


def test_a_file_that_is_no_store_is_left_alone(refused: Refused) -> None:
    Path("note.txt").write_text("nothing of ours\n" * 500, encoding="utf-8")
    assert "note.txt" in refused("sweep", "narma10", *SMALL, "--vary", "leak_rate=0.5", "--store", "note.txt")
    assert Path("note.txt").read_text(encoding="utf-8") == "nothing of ours\n" * 500


@pytest.mark.parametrize("missing", ["optuna", "cmaes"])
def test_optuna_is_asked_for_in_a_line(refused: Refused, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from reservoir.sweeps import strategies

    monkeypatch.setattr(strategies, "find_spec", lambda package: None if package == missing else package)
    vary = ("--vary", "leak_rate=0.1:1", "--vary", "density=0.1:1", "--strategy", "cmaes", "--trials", "3")
    assert "pip install 'clockwork-reservoir[sweep]'" in refused("sweep", "narma10", *vary)


# results


def test_results_rank_the_trials(command: Command, runs: Runs) -> None:
    command("sweep", "narma10", *SMALL, "--vary", "leak_rate=0.2:1:5", "--seeds", "0:2")
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
    from reservoir.sweeps.store import Store
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
    command("sweep", "narma10", *SMALL, *vary, "--seeds", "0:2")
    for columns, left in ((160, ["mean", "std", "min", "max", "runs"]), (50, ["mean", "std", "runs"])):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = command("results", "narma10-esn.db").out.splitlines()
        header = next(line for line in lines if "mean" in line)
        assert [name for name in ("mean", "std", "min", "max", "runs") if name in header.split()] == left
        assert sum("0.1235" in line for line in lines[:8]) == 1  # whole
        assert max(map(len, lines[:10])) <= columns
