"""What `reservoir sweep` and `reservoir results` say of bad input: one line, exit status 2, before any work."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from commands import SWEEP, Refused, toml_file


@pytest.fixture
def refused(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """As everywhere, and before any work."""

    def call(*args: str) -> str:
        with monkeypatch.context() as patch:
            patch.setattr("reservoir.experiments.driver.run_chunk", lambda chunk: pytest.fail("there should be no work"))
            return refused(*args)

    return call


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
    err = refused("sweep", *toml_file(f"{line}\n{rest}" if line != "[vary]" else f"{rest}{line}\n"))
    for part in parts:
        assert part in err
    assert len(err) < 1000


def test_files_that_cannot_be_read(refused: Refused) -> None:
    Path("folder").mkdir()
    Path("bytes.toml").write_bytes(b"\xff\xfe")
    assert "absent.toml: No such file" in refused("sweep", "--file", "absent.toml")
    assert "folder: Is a directory" in refused("sweep", "--file", "folder")
    assert "bytes.toml: is not TOML" in refused("sweep", "--file", "bytes.toml")
    assert "'TASK'" in refused("sweep", *toml_file(""))
    assert "'TASK'" in refused("sweep", *toml_file("[vary]\nunits = [5]"))


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
    assert store.split("/")[0] in refused("sweep", "narma10", *SWEEP, "--vary", "leak_rate=0.5", "--store", store)


def test_a_file_that_is_no_store_is_left_alone(refused: Refused) -> None:
    Path("note.txt").write_text("nothing of ours\n" * 500, encoding="utf-8")
    assert "note.txt" in refused("sweep", "narma10", *SWEEP, "--vary", "leak_rate=0.5", "--store", "note.txt")
    assert Path("note.txt").read_text(encoding="utf-8") == "nothing of ours\n" * 500


@pytest.mark.parametrize("missing", ["optuna", "cmaes"])
def test_optuna_is_asked_for_in_a_line(refused: Refused, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from reservoir.sweeps import strategies

    monkeypatch.setattr(strategies, "find_spec", lambda package: None if package == missing else package)
    vary = ("--vary", "leak_rate=0.1:1", "--vary", "density=0.1:1", "--strategy", "cmaes", "--trials", "3")
    assert "pip install 'clockwork-reservoir[sweep]'" in refused("sweep", "narma10", *vary)
