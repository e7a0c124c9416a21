"""What the command line says of bad input: one line, exit status 2, nothing lost."""

from __future__ import annotations

import errno
import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import QUICK, Command, csv_file, wave

import reservoir
from reservoir.experiments import evaluation, run


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("run narma11", ["no task 'narma11'", "Did you mean narma10", "lorenz"]),
        ("tasks narma11", ["no task 'narma11'", "Did you mean narma10"]),
        ("models esm", ["no model 'esm'", "Did you mean esn"]),
        ("run narma10 --model esm", ["no model 'esm'", "Did you mean esn"]),
        ("run narma10 --model ClockworkRNN", ["no model 'ClockworkRNN'", "Did you mean clockwork?"]),
        ("run narma10 --model lstm --set epochs=5", ["'epochs'", "Did you mean training.epochs ("]),
        ("run narma10 --model lstm --set epoch=5", ["'epoch'", "Did you mean training.epochs ("]),
        ("run narma10 --set rigde=5", ["'rigde'", "Did you mean readout.ridge ("]),
        ("run narma10 --set ridge=5", ["'ridge'", "Did you mean readout.ridge ("]),
        ("run narma10 --set unit=5", ["'unit'", "Did you mean units", "spectral_radius"]),
        ("run narma10 --set units=5.5", ["'units'", "integer in [1, inf)", "Got 5.5"]),
        ("run narma10 --set topology=@absent.npz", ["absent.npz", "no such file"]),
        ("run narma10 --set topology=@folder", ["folder", "is a directory"]),
        ("run narma10 --set topology=@data.csv", ["data.csv", "cannot be read"]),
        ("run narma10 --set topology=@empty.npy", ["empty.npy", "damaged"]),
        ("run narma10 --set topology=@two.npz", ["two.npz", "2 arrays (a, b)"]),
        ("run narma10 --set topology=@objects.npy", ["objects.npy", "cannot be read", "allow_pickle=False"]),
        ("run narma10 --set topology=@small.npy", ["'topology'", "(200, 200) matrix", "(3, 3)"]),
        ("run narma10 --set units=abc", ["'units'", "Got 'abc'"]),
        ("run narma10 --set units=0", ["'units'", "Got 0"]),
        ("run narma10 --set units=", ["'units'", "Got ''"]),
        ("run narma10 --set units", ["'--set'", "NAME=VALUE", "Got 'units'"]),
        ("run narma10 --set =5", ["'--set'", "NAME=VALUE"]),
        ("run narma10 --set spectral_radius=nan", ["'spectral_radius'", "Got 'nan'"]),
        ("run narma10 --set spectral_radius=1e400", ["'spectral_radius'", "Got inf"]),
        ("run narma10 --set leak_rate=0.1,0.2", ["'leak_rate'", "200 of them", "Got 2"]),
        ("run narma10 --set readout.rigde=1", ["'rigde'", "Did you mean ridge?"]),
        ("run narma10 --set readout.ridge=-1", ["'ridge'", "[0, inf)", "Got -1"]),
        ("run narma10 --set readout=Rigde", ["no readout 'Rigde'", "Did you mean Ridge"]),
        ("run narma10 --set readout=RidgeClassifier", ["classifier needs labels"]),
        ("run narma10 --set topology=cylce", ["'topology'", "Did you mean cycle"]),
        ("run narma10 --set topology_options.jmp=3", ["'jmp'", "weights"]),
        ("run narma10 --set units.foo=3", ["'units'", "no parts"]),
        ("run narma10 --set washout=5000", ["washout + 1 = 5001", "lower washout"]),
        ("run narma10 --task-set tset_length=3", ["'tset_length'", "Did you mean test_length"]),
        ("run narma10 --task-set test_length=a", ["'test_length'", "integer in [2, inf)", "Got 'a'"]),
        ("run narma10 --seeds 0,0", ["'--seeds'", "none twice", "'0,0'"]),
        ("run narma10 --seeds 0:3,2", ["'--seeds'", "none twice"]),
        ("run narma10 --seeds 0:3 --seeds 5", ["--seeds is given twice", "all its values at once"]),
        ("sweep narma10 --vary units=5,6 --seeds 0 --seeds 1", ["--seeds is given twice"]),
        ("run narma10 --seeds 5:3", ["'--seeds'"]),
        ("run narma10 --seeds=-1", ["'--seeds'", "[0, inf)"]),
        ("run narma10 --seeds a", ["'--seeds'"]),
        ("run narma10 --sedes 3", ["'--sedes'", "--seeds", "run --help."]),
        ("run", ["'TASK'", "run --help."]),
        ("run narma10 lorenz", ["run takes one task", "`reservoir compare narma10 lorenz`"]),
        ("ran narma10", ["'ran'", " --help."]),
        ("run csv", ["'path'", "name of a CSV file"]),
        ("run csv --task-set path=absent.csv", ["absent.csv", "no such file"]),
        ("run csv --task-set path=data.csv", ["data.csv", "300 rows", "need at least 302"]),
        ("run csv --task-set path=data.csv --task-set horizon=0", ["'horizon'", "[1, inf)", "Got 0"]),
        ("run csv --task-set path=data.csv --task-set column=laod", ["'laod'", "Did you mean load?"]),
        ("train narma10 --save absent/model", ["absent: no such folder"]),
        ("train narma10 --save folder", ["folder: Is a directory"]),
        ("train narma10 --save pipe", ["pipe: is not a file"]),
        ("train narma10", ["'--save'", "train --help."]),
        ("run narma10 --plot picture.bmp", [".png, .svg or .pdf", "'picture.bmp'"]),
        ("run narma10 --plot absent/picture.png", ["absent: no such folder"]),
        ("compare", ["'TASK...'", "compare --help."]),
        ("compare narma11", ["no task 'narma11'", "Did you mean narma10"]),
        ("compare narma10 narma10", ["'narma10' is there twice"]),
        ("compare narma10 --models esm", ["no model 'esm'", "Did you mean esn"]),
        ("compare narma10 --models esn,", ["'--models'", "separated by commas"]),
        ("compare narma10 --models ''", ["'--models'"]),
        ("compare narma10 --models esn,esn", ["'esn' is there twice", "other=esn"]),
        ("compare narma10 --models esn --seeds ''", ["'--seeds'", "Got ''"]),
        ("compare narma10 --models esn --seeds 0:0", ["'--seeds'"]),
        ("compare narma10 --models esn --jobs 0", ["'--jobs'", "x>=1"]),
        ("compare narma10 --models esn --budget-parameters 0", ["'--budget-parameters'", "x>=1"]),
        ("compare narma10 --models esn --budget-parameters 9 --set units=9", ["budget", "'esn'"]),
        ("compare narma10 --models esn --set unit=3", ["'unit'", "Did you mean units"]),
        ("compare narma10 --models esn,lstm --set epochs=3", ["'epochs'", "Did you mean training.epochs ("]),
        ("compare narma10 --models esn --set esn.unit=3", ["'unit'", "Did you mean units"]),
        ("compare narma10 --models esn --set lstm.units=3", ["'lstm'"]),
        ("compare narma10 --models esn --set units=0", ["'units'", "Got 0"]),
        ("compare narma10 --models esn --task-set tset_length=3", ["'tset_length'", "Did you mean test_length"]),
        ("compare narma10 --models esn --task-set narma10.tset_length=3", ["'tset_length'", "Did you mean test_length"]),
        ("compare narma10 sunspots --models esn --task-set starts=3", ["no narma10 option 'starts'"]),
        ("compare narma10 --models esn --out data.csv", ["data.csv: Not a directory"]),
        ("compare narma10 --models esn --out absent/folder", ["absent: no such folder"]),
        ("compare narma10 --models esn --data data.csv", ["--data", "'path'", "narma10"]),
        ("compare narma10 csv --models esn --data absent.csv", ["absent.csv", "no such file"]),
        ("compare csv --models esn", ["task csv", "--data FILE"]),
        ("compare csv --models esn --data data.csv --start 1", ["--start", "'start'", "csv"]),
        ("run narma10 --task-set test_length=50 --task-set test_length=60", ["--task-set", "test_length twice"]),
        ("compare narma10 --models esn --task-set test_length=50 --task-set test_length=60", ["--task-set", "test_length twice"]),
        ("compare narma10 --models esn --task-set narma10.steps=5 --task-set narma10.steps=6", ["narma10.steps twice"]),
        ("sweep narma10 --vary units=5,6 --task-set test_length=50 --task-set test_length=60", ["test_length twice"]),
        ("sweep narma10 --vary washout=5 --vary washout=6", ["--vary", "washout twice", "washout=100,200"]),
        ("gradients adding --task-set length=5 --task-set length=6", ["--task-set", "length twice"]),
        ("run narma10 --set units=5 --set units=6", ["--set", "units twice"]),
        ("run narma10 --set readout.ridge=1 --set readout.ridge=1", ["readout.ridge twice"]),
        ("inspect --set units=5 --set units=6", ["--set", "units twice"]),
        ("run csv --data data.csv --task-set path=two.csv", ["--data", "--task-set", "'path'"]),
        ("run narma10 --data data.csv", ["--data", "'path'"]),
        ("train csv --data data.csv --save data.csv", ["data.csv", "is the input"]),
        ("predict", ["'MODEL'", "predict --help."]),
        ("predict absent data.csv", ["absent", "No such file"]),
        ("predict data.csv data.csv", ["data.csv", "not a model file"]),
        ("predict wave absent.csv", ["absent.csv", "no such file"]),
        ("predict wave data.csv --column laod", ["'laod'", "Did you mean load?"]),
        ("predict wave data.csv --horizon 0", ["'--horizon'", "x>=1"]),
        ("predict wave data.csv --out data.csv", ["data.csv", "is the input"]),
        ("predict wave data.csv --out wave", ["wave", "is the input"]),
        ("predict wave two.csv --column a,b", ["two.csv: the model reads 1 column, got a, b"]),
        ("predict doubled data.csv --horizon 3", ["--horizon needs a model of the next row", "this model"]),
        ("inspect --set unit=3", ["'unit'", "Did you mean units"]),
        ("inspect --set readout.ridge=-1", ["'ridge'", "Got -1"]),
        ("inspect --model LSTM", ["inspect measures the reservoir", "`reservoir gradients TASK --models LSTM`"]),
        ("inspect --model esm", ["no model 'esm'", "Did you mean esn"]),
        ("inspect --inputs 0", ["'--inputs'", "x>=1"]),
        ("inspect --steps 1", ["'--steps'", "x>=2"]),
        ("inspect --seed -1", ["'--seed'", "x>=0"]),
        ("inspect --column load", ["--column", "--data"]),
        ("inspect --data absent.csv", ["absent.csv", "no such file"]),
        ("inspect --data data.csv --steps 50", ["--steps", "--data"]),
        ("inspect --data data.csv --inputs 2", ["--inputs", "--data"]),
        ("inspect --plot picture.bmp", [".png, .svg or .pdf"]),
    ],
)
def test_bad_input(refused: Callable[..., str], args: str, parts: list[str]) -> None:
    csv_file()
    csv_file("two.csv", a=wave(), b=wave(), flat=np.ones(300))
    for name, targets in (("wave", wave()), ("doubled", np.stack([wave(), wave()], axis=1))):
        reservoir.ESN(units=5, density=0.5, random_state=0).fit(wave(), targets).save(name)
    Path("empty.npy").touch()
    np.savez("two.npz", a=np.eye(3), b=np.eye(3))
    np.save("small.npy", np.eye(3))
    np.save("objects.npy", np.array([{}]))
    Path("folder").mkdir()
    Path("link.csv").symlink_to("data.csv")
    os.mkfifo("pipe")
    err = refused(*shlex.split(args))
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["is empty"]),
        (b"load\n" + b"1\n2\n" * 50 + b"nan\n", ["line 102, column 'load'", "NaN"]),
        (b"load\n" + b"1\n2\n" * 50 + b"-inf\n", ["line 102, column 'load'", "infinity"]),
        (b"load\n" + b"1\n2\n" * 50 + b"three\n", ["line 102, column 'load'", "'three' is not a number"]),
        (b"day,load\n" + b"mon,high\n" * 50, ["no column holds numbers", "Columns: day, load"]),
        (b"day,load\n" + b"1,2\n" * 50, ["2 columns hold numbers", "Columns: day, load"]),
        (b"load\n" + b"4.5\n" * 100, ["Column 'load' is constant (4.5)"]),
        (b"load\n" + b"1e300\n-1e300\n" * 50, ["Column 'load' lies between -1e+300 and 1e+300"]),
        (b"\x00\x01\x02\xff" * 40, ["not a CSV file"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ["not a CSV file"]),
    ],
)
def test_bad_files(refused: Callable[..., str], command: Command, content: bytes, parts: list[str]) -> None:
    Path("own.csv").write_bytes(content)
    err = refused("inspect", "--data", "own.csv")
    for part in parts:
        assert part in err


def test_a_file_that_cannot_be_read(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "data.csv" and not path.is_absolute():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return reads(path)

    csv_file()
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    assert "data.csv: no permission to read the file." in refused("forecast", "data.csv")


def test_a_folder_that_cannot_be_written_to(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/some/temporary/name")

    csv_file()
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    for args in (("train", *QUICK, "--save", "m"), ("run", *QUICK, "--plot", "m.png"), ("forecast", "data.csv", "--out", "m")):
        err = refused(*args)
        assert "Permission denied" in err
        assert "Error: m" in err


def test_a_file_that_cannot_be_written_to(refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("m").write_text("mine")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "m")
    assert refused("train", *QUICK, "--save", "m") == "Error: m: Permission denied\n"


def test_the_work_does_not_begin_before_the_outputs_are_checked(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: Any) -> None:
        raise AssertionError("worked first")

    csv_file()
    monkeypatch.setattr(run, "evaluate", work)
    monkeypatch.setattr(evaluation, "evaluate", work)
    monkeypatch.setattr("reservoir.forecasting.work.forecast_tables", work)
    monkeypatch.setattr("reservoir.forecasting.work.backtest_tables", work)
    refused("train", *QUICK, "--save", "absent/m")
    refused("run", *QUICK, "--plot", "m.bmp")
    refused("forecast", "data.csv", "--out", "absent/m")
    refused("backtest", "data.csv", "--plot", "m.bmp")
