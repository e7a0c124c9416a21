"""Forecasters in files: they continue from new rows as if they had never been away, and refuse rows that do not follow."""

from __future__ import annotations

import json
import os
import pickle
import shlex
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import NO_NETWORK, Command, csv_file, wave

from reservoir import DataError, Forecaster, ModelFileError, ParameterError, forecast, load
from reservoir.base.estimator import clone
from reservoir.experiments import engines
from reservoir.files.locking import locked
from reservoir.forecasting import saved
from reservoir.forecasting.following import seen_rows
from reservoir.forecasting.report import ForecastReport

DAYS = np.datetime64("2024-01-01", "D") + np.arange(420)
TEXTS = DAYS.astype(str).tolist()
QUICK = Forecaster(10, without=["reservoir", "reservoir with others"])
RNG = np.random.default_rng(5)
HEAT = (RNG.random(420) < 0.2).astype(float)
SERIES = np.stack([10.0 + wave(400) + 2.0 * HEAT[:400], wave(400)[::-1]], axis=1)
WIND = RNG.normal(size=400)
LEARNED = 300
LAST = 340


def data(start: int, stop: int, everything: bool) -> tuple[np.ndarray, dict[str, Any]]:
    """Some rows of the series; also with what is known ahead, the past and the times."""
    if not everything:
        return SERIES[start:stop, 0], {}
    return SERIES[start:stop], {"known": HEAT[start : stop + 10], "past": WIND[start:stop], "time": DAYS[start : stop + 10]}


def fitted(path: Path, everything: bool, stop: int = LEARNED, **settings: Any) -> Any:
    rows, beside = data(0, stop, everything)
    model = clone(QUICK).set_params(**settings)
    return forecast(rows, model, columns=["load", "flow"][: np.ndim(rows)], save=path, **beside)


def equal(a: Any, b: Any) -> None:
    for name in ("values", "lower", "upper"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


OTHER = """
import numpy as np
from test_saved_forecasts import LAST, LEARNED, data
from reservoir import load
rows, beside = data(LEARNED, LAST, True)
found = load("m").predict(rows, **beside).groups[0].forecast
np.savez("found.npz", values=found.values, lower=found.lower, upper=found.upper)
"""


def test_another_process_continues_with_the_same_bits_as_memory(tmp_path: Path) -> None:
    report = fitted(tmp_path / "m", True, without=[], bands="reservoir", holidays="DE")
    where = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    subprocess.run([sys.executable, "-c", OTHER], cwd=tmp_path, env={**os.environ, "PYTHONPATH": where}, check=True)
    rows, beside = data(LEARNED, LAST, True)
    ref = report.groups[0].forecaster.observe(rows, times=beside.pop("time"), **beside).predict()
    with np.load(tmp_path / "found.npz") as comp:
        for name in ("values", "lower", "upper"):
            np.testing.assert_array_equal(comp[name], getattr(ref, name))
    assert np.abs(ref.values[:, 0] - SERIES[LAST : LAST + 10, 0]).max() < 0.5
    assert ref.times is not None and ref.times[0] == DAYS[LAST]


@pytest.mark.parametrize("everything", [False, True])
def test_seen_rows_are_recognized_however_many_there_are(tmp_path: Path, everything: bool) -> None:
    report = fitted(tmp_path / "m", everything)
    model = load(tmp_path / "m")
    rows, beside = data(0, LEARNED, everything)
    same = model.predict(rows, **beside).groups[0]
    equal(same.forecast, report.groups[0].forecast)
    assert (same.rows, same.new_rows) == (LEARNED, 0)
    ref = model.predict(data(LEARNED, LAST, everything)[0], **data(LEARNED, LAST, everything)[1]).groups[0]
    assert (ref.rows, ref.new_rows) == (LAST, 40)
    for start in (0, 250, 292):
        rows, beside = data(start, LAST, everything)
        comp = model.predict(rows, **beside).groups[0]
        equal(comp.forecast, ref.forecast)
        assert comp.new_rows == 40
    assert "40 new rows after the 300 seen before." in str(comp and model.predict(rows, **beside).table())


@pytest.mark.parametrize("everything", [False, True])
def test_rows_in_two_parts_are_as_rows_at_once(tmp_path: Path, everything: bool) -> None:
    fitted(tmp_path / "m", everything)
    model = load(tmp_path / "m")
    for start, stop in ((LEARNED, 301), (301, LAST)):
        rows, beside = data(start, stop, everything)
        report = model.predict(rows, **beside)
        model.updated(report, learn=False).save(tmp_path / "m")
        model = load(tmp_path / "m")
    rows, beside = data(LEARNED, LAST, everything)
    fitted(tmp_path / "n", everything)
    equal(report.groups[0].forecast, load(tmp_path / "n").predict(rows, **beside).groups[0].forecast)


@pytest.mark.parametrize("everything", [False, True])
def test_an_update_is_a_fit_of_everything(tmp_path: Path, everything: bool) -> None:
    fitted(tmp_path / "m", everything)
    model = load(tmp_path / "m")
    rows, beside = data(LEARNED, LAST, everything)
    report = model.predict(rows, **beside)
    model.updated(report, learn=True).save(tmp_path / "m")
    comp = load(tmp_path / "m").members_[None]
    ref = fitted(tmp_path / "n", everything, LAST).groups[0]
    equal(comp.predict(), ref.forecast)
    assert comp.rows_ == LAST
    assert not (report.groups[0].forecast.values == ref.forecast.values).all()  # without learning they differ


def test_the_outputs_of_a_gap_that_is_filled_and_of_one_that_is_not(tmp_path: Path) -> None:
    fitted(tmp_path / "m", True)
    model = load(tmp_path / "m")
    rows, beside = data(305, LAST, True)
    with pytest.raises(DataError, match=r"5 rows missing .*at 2024-10-26, and the next, at 2024-11-01.*fill='linear'"):
        model.predict(rows, **beside)
    beside = {**data(LEARNED, LAST, True)[1], "time": np.delete(DAYS[300:350], [2, 3])}
    beside |= {"known": np.delete(beside["known"], [2, 3]), "past": np.delete(beside["past"], [2, 3])}
    with pytest.raises(DataError, match="2 of 40 rows are missing"):
        model.predict(np.delete(SERIES[300:LAST], [2, 3], axis=0), **beside)
    assert model.predict(np.delete(SERIES[300:LAST], [2, 3], axis=0), fill="last", **beside).groups[0].rows == LAST


def test_the_seen_rows_of_files_without_times() -> None:
    past = np.array([[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0]]).T
    new = np.array([[5.0, 8.0, 9.0, 7.0]]).T
    flat = np.full((10, 1), 2.0)
    assert seen_rows(past, 10, np.concatenate([past, new])) == 10
    assert seen_rows(past, 50, np.concatenate([np.zeros((40, 1)), past, new])) == 50
    assert seen_rows(past, 10, np.concatenate([past[2:], new])) == 8
    assert seen_rows(past, 10, np.concatenate([past[3:], new])) == 0  # seven may be alike by accident
    assert seen_rows(flat, 12, flat[:9]) == 0  # neither do constant rows tell
    counts = np.array([[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0, 3.0]]).T
    assert seen_rows(counts, 12, counts[:9]) == 0  # nor few different ones
    assert seen_rows(past, 10, new) == 0
    with pytest.raises(DataError, match="ends with row 8, before row 10"):
        seen_rows(past, 10, past[:8])
    with pytest.raises(DataError, match="row 4 is not the row"):
        seen_rows(past, 10, np.concatenate([past[:3], past[4:5], past[4:], new]))


def test_a_forecaster_with_parts_of_ones_own_is_not_saved(tmp_path: Path) -> None:
    own = {"mine": lambda z, season, origins, horizon: np.zeros((len(origins), horizon))}
    with pytest.raises(ParameterError, match=r"'parts' parameter of Forecaster must be None for save.*mine"):
        fitted(tmp_path / "m", False, parts=own)
    assert os.listdir(tmp_path) == []


def test_one_new_row_of_local_time(tmp_path: Path) -> None:
    hours = np.datetime64("2024-03-20", "h") + np.arange(400)
    for step, local in (("day", DAYS), ("hour", np.delete(hours, 11 * 24 + 2))):  # the clocks skip 2 o'clock on March 31
        texts = [str(moment).replace("T", " ") + ":00" * (step == "hour") for moment in local]
        old = csv_file(str(tmp_path / "old.csv"), day=texts[:300], load=SERIES[:300, 0])
        forecast(old, QUICK, columns=["load"], timezone="Europe/Berlin", save=tmp_path / "m")
        one = csv_file(str(tmp_path / "one.csv"), day=texts[300:301], load=SERIES[300:301, 0])
        found = load(tmp_path / "m").predict(one).groups[0]
        assert found.new_rows == 1 and str(found.steps[0]).startswith(texts[301])


# Anomalies


def test_anomalies_are_marked_with_the_share_expected_by_chance(tmp_path: Path) -> None:
    series = np.sin(0.3 * np.arange(900)) + 0.1 * np.random.default_rng(1).normal(size=900)
    forecast(series[:500], QUICK, columns=["load"], save=tmp_path / "m")
    model = load(tmp_path / "m")
    [record] = model.anomalies(series[500:]).records()
    assert record["expected_share"] == pytest.approx(0.05) and 0.01 < record["share"] < 0.12 and record["rows"] == 400
    calm = record["outside"]
    series[650] += 5.0
    report = model.anomalies(series)
    [record] = report.records()
    assert calm < record["outside"] <= calm + 3  # one spike does not spoil the forecasts after it
    [spike] = [row for row in record["anomalies"] if row["row"] == 651]
    assert spike["value"] == series[650] > spike["upper"] > spike["forecast"] > spike["lower"]
    report.to_csv(tmp_path / "a.csv")
    header, *lines = (tmp_path / "a.csv").read_text().splitlines()
    assert header == "row,load,load_forecast,load_lower,load_upper,load_outside"
    assert sum(int(line.split(",")[-1]) for line in lines) == record["outside"]
    assert lines[150].startswith(f"651,{series[650]},") and lines[150].endswith(",1")
    with pytest.raises(DataError, match="no row after the last one"):
        model.anomalies(series[:500])


# Groups


class Threads(ThreadPoolExecutor):
    """Threads in the place of processes, whose start takes seconds; calls are sent to them all the same."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        return super().submit(sent, pickle.dumps((function, args, named)))


def sent(call: bytes) -> Any:
    function, args, named = pickle.loads(call)
    return pickle.loads(pickle.dumps(function(*args, **named)))


def test_groups_in_processes_have_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "Pool", Threads)
    shops = ("a", "b", "c", "few")
    rows = [(TEXTS[i], shop, SERIES[i, 0] * (k + 1)) for k, shop in enumerate(shops) for i in range(9 if shop == "few" else 60)]
    name = csv_file(str(tmp_path / "d.csv"), day=[r[0] for r in rows], shop=[r[1] for r in rows], sold=[r[2] for r in rows])
    counts = [0, 0]
    reports = []
    for jobs in (1, 2):

        def count(jobs: int = jobs) -> None:
            counts[jobs - 1] += 1

        with pytest.warns(RuntimeWarning, match="Group 'few' is left out"):
            reports.append(forecast(name, QUICK, columns=["sold"], group="shop", jobs=jobs, report=count))
    assert counts == [4, 4]
    for one, two in zip(reports[0].groups, reports[1].groups, strict=True):
        assert one.group == two.group
        equal(one.forecast, two.forecast)


def test_many_groups_have_a_summary_and_the_worst_come_first(tmp_path: Path) -> None:
    [one] = fitted(tmp_path / "m", False).groups
    groups = tuple(
        replace(one, group=f"g{k}", forecaster=at_ratio(one.forecaster, ratio)) for k, ratio in enumerate((0.5, 2.0, *[1.0] * 19))
    )
    table = ForecastReport(groups, {}).table()
    assert [row[0] for row in table.rows][:3] == ["g1: load", "g2: load", "g3: load"] and len(table.rows) == 20
    [note] = table.notes
    assert note == ("The worst 20 of 21 series. Of all, the median ratio is 1, and 1 are worse than the seasonal naive forecast.")


def at_ratio(forecaster: Forecaster, ratio: float) -> Forecaster:
    """A fitted forecaster as if its past errors had been so many times those of the seasonal naive forecast."""
    other = copy(forecaster)
    other.models_ = [replace(forecaster.models_[0], past_rmse=(ratio, 1.0))]
    return other


# The command line


SHOPS = ("--column", "sold", "--group", "shop", "--horizon", "5", *NO_NETWORK, "--quiet", "--no-plot")


def days_file(name: str, start: int, stop: int, **columns: Any) -> str:
    return csv_file(name, day=TEXTS[start:stop], **{"load": SERIES[start:stop, 0], **columns})


def kept(command: Command) -> None:
    args = ("--column", "load", "--horizon", "5", "--save", "m", *NO_NETWORK, "--quiet", "--no-plot", "--out", "f.csv")
    assert command("forecast", days_file("old.csv", 0, 300), *args) == (0, "", "")


def test_predict_writes_the_forecast_from_new_rows(command: Command) -> None:
    kept(command)
    before = Path("m").read_bytes()
    status, out, err = command("predict", "m", days_file("grown.csv", 0, 320))
    assert (status, err) == (0, "") and "20 new rows after the 300 seen before." in out
    assert out.endswith("Forecast written to predictions.csv, picture to predictions.png.\n")
    assert Path("predictions.csv").read_text().splitlines()[1].startswith("2024-11-16,")
    status, out, _ = command("predict", "m", days_file("new.csv", 300, 320), "--json", "--no-plot", "--out", "new_forecast.csv")
    assert Path("new_forecast.csv").read_text() == Path("predictions.csv").read_text()
    record = json.loads(out)
    assert (record["rows"], record["new_rows"], record["times"][0]) == (320, 20, "2024-11-16")
    assert Path("m").read_bytes() == before


def test_what_is_known_ahead_comes_from_the_file_or_from_a_second_one(command: Command) -> None:
    args = ("--column", "load", "--known", "heat", "--horizon", "5", *NO_NETWORK, "--quiet", "--no-plot")
    assert command("forecast", known_file("old.csv", 0, 300, 305), *args, "--save", "m").status == 0
    assert command("predict", "m", known_file("new.csv", 300, 320, 325), "--quiet", "--no-plot", "--out", "a.csv").status == 0
    known_file("bare.csv", 300, 320, 320)
    csv_file("next.csv", day=TEXTS[320:325], heat=HEAT[320:325])
    args = ("--quiet", "--no-plot", "--out", "b.csv")
    status, _, err = command("predict", "m", "bare.csv", *args)
    assert status == 2 and "known: column 0 has no values in its last 5 rows" in err
    assert command("predict", "m", "bare.csv", "--future", "next.csv", *args).status == 0
    assert Path("a.csv").read_text() == Path("b.csv").read_text()


def known_file(name: str, start: int, stop: int, end: int) -> str:
    return csv_file(name, day=TEXTS[start:end], load=[*SERIES[start:stop, 0], *[""] * (end - stop)], heat=HEAT[start:end])


def test_remembered_rows_are_seen_and_an_update_learns(command: Command) -> None:
    kept(command)
    assert command("predict", "m", days_file("a.csv", 300, 310), "--remember", "--quiet", "--no-plot").status == 0
    refusal = command("predict", "m", days_file("c.csv", 311, 320), "--quiet")
    assert refusal.status == 2 and "1 row missing" in refusal.err
    status, out, _ = command("predict", "m", days_file("b.csv", 310, 320), "--update", "--json", "--no-plot")
    assert status == 0 and json.loads(out)["new_rows"] == 10
    args = ("--column", "load", "--horizon", "5", *NO_NETWORK, "--no-plot", "--json")
    whole = json.loads(command("forecast", days_file("all.csv", 0, 320), *args).out)
    assert whole["forecast"] == json.loads(out)["forecast"]
    assert sorted(os.listdir()) == [
        "a.csv", "all.csv", "b.csv", "c.csv", "f.csv", "forecast.csv", "m", "old.csv", "predictions.csv",
    ]  # fmt: skip


def test_predict_marks_anomalies(command: Command) -> None:
    kept(command)
    spiky = SERIES[300:320, 0].copy()
    spiky[7] += 9.0
    status, out, err = command("predict", "m", days_file("new.csv", 300, 320, load=spiky), "--anomalies", "--plot", "a.svg")
    assert (status, err) == (0, "") and "expected by chance" in out and "at 2024-11-03, expected" in out
    assert Path("a.svg").read_text().startswith("<?xml")
    record = json.loads(command("predict", "m", "new.csv", "--anomalies", "--json", "--no-plot").out)
    assert "2024-11-03" in [row["time"] for row in record["anomalies"]]


def test_groups_are_kept_in_one_file(command: Command) -> None:
    def stacked(name: str, start: int, stop: int, shops: tuple[str, ...]) -> str:
        rows = [(TEXTS[i], shop, SERIES[i, 0] + len(shop)) for shop in shops for i in range(start, stop)]
        return csv_file(name, day=[r[0] for r in rows], shop=[r[1] for r in rows], sold=[r[2] for r in rows])

    assert command("forecast", stacked("old.csv", 0, 90, ("north", "south", "west")), *SHOPS, "--save", "m").status == 0
    status, out, err = command("predict", "m", stacked("new.csv", 90, 95, ("south", "north", "east")), "--json", "--no-plot")
    assert status == 0 and [json.loads(line)["group"] for line in out.splitlines()] == ["south", "north"]
    assert "Group 'east' is left out: the model has not learned from this group" in err
    assert "Group 'west' is left out: the data have no rows of it." in err
    alone = load("m").members_["north"].observe(SERIES[90:95, 0] + 5, times=DAYS[90:95]).predict()
    assert json.loads(out.splitlines()[1])["forecast"] == alone.values[:, 0].tolist()


@pytest.mark.filterwarnings("default")
def test_values_in_other_units_are_warned_of(command: Command) -> None:
    kept(command)
    days_file("new.csv", 300, 303, load=1e3 * SERIES[300:303, 0])
    status, _, err = command("predict", "m", "new.csv", "--no-plot", "--quiet")
    assert status == 0 and "Warning: Series 'load': " in err and "does it have other units?" in err


@pytest.mark.parametrize("flag", [(), ("--update",), ("--remember",), ("--anomalies",)])
@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("m absent.csv", ["absent.csv", "no such file"]),
        ("absent new.csv", ["absent", "No such file"]),
        ("new.csv new.csv", ["new.csv", "not a model file"]),
        ("cut new.csv", ["cut", "damaged or not a model file"]),
        ("m changed.csv", ["'load' is 99 at 2024-10-17, where the model has seen", "fit the model again"]),
        ("m late.csv", ["5 rows missing", "at 2024-10-26, and the next, at 2024-11-01", "fill="]),
        ("m early.csv", ["ends at 2024-07-18, before the last row that the model has seen, at 2024-10-26"]),
        ("m hours.csv", ["another frequency", "one row per day"]),
        ("m weeks.csv", ["another frequency", "one row per day"]),
        ("m grew.csv", ["grew.csv", "the column 'extra'", "remove it"]),
        ("m renamed.csv", ["renamed.csv", "no column 'load'"]),
        ("m untimed.csv", ["untimed.csv", "no column 'day'"]),
        ("m word.csv", ["line 3, column 'load'", "'three' is not a number"]),
        ("m new.csv --horizon 3", ["--horizon is for networks"]),
        ("m new.csv --column load", ["--column is for networks"]),
        ("m new.csv --fill mean", ["'--fill'", "'mean'"]),
        ("m new.csv --out new.csv", ["is the input"]),
        ("m new.csv --out m", ["is the input"]),
        ("m new.csv --out absent/f.csv", ["absent: no such folder"]),
        ("m new.csv --out - --json", ["standard output"]),
        ("m new.csv --plot a.png --no-plot", ["exclude each other"]),
    ],
)
def test_bad_input(refused: Callable[..., str], kept_model: bytes, flag: tuple[str, ...], args: str, parts: list[str]) -> None:
    Path("m").write_bytes(kept_model)
    Path("cut").write_bytes(kept_model[:-100])
    new = SERIES[300:320, 0]
    days_file("new.csv", 300, 320)
    days_file("changed.csv", 290, 320, load=np.where(np.arange(30) == 0, 99.0, SERIES[290:320, 0]))
    days_file("late.csv", 305, 320)
    days_file("early.csv", 100, 200)
    csv_file("hours.csv", day=[f"2024-10-27 {k:02}:00" for k in range(20)], load=new)
    csv_file("weeks.csv", day=TEXTS[300:420:7], load=SERIES[300:318, 0])
    days_file("grew.csv", 300, 320, extra=new)
    csv_file("renamed.csv", day=TEXTS[300:320], lod=new)
    csv_file("untimed.csv", load=new)
    days_file("word.csv", 300, 303, load=[1.0, "three", 2.0])
    err = refused("predict", *shlex.split(args), *flag)
    for part in parts:
        assert part in err


@pytest.fixture(scope="module")
def kept_model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("kept")
    name = csv_file(str(folder / "old.csv"), day=TEXTS[:300], load=SERIES[:300, 0])
    forecast(name, Forecaster(5, without=QUICK.without), columns=["load"], save=folder / "m")
    return (folder / "m").read_bytes()


# Updates that cannot be


def test_two_updates_at_once(refused: Callable[..., str], kept_model: bytes) -> None:
    Path("m").write_bytes(kept_model)
    days_file("new.csv", 300, 320)
    with locked("m"):
        err = refused("predict", "m", "new.csv", "--update")
    assert f"m: is being updated by process {os.getpid()}; run again" in err


def test_the_lock_of_a_process_that_died_is_taken_over(command: Command, kept_model: bytes) -> None:
    Path("m").write_bytes(kept_model)
    Path("m.lock").write_text("1")
    assert command("predict", "m", days_file("new.csv", 300, 320), "--remember", "--quiet", "--no-plot").status == 0
    assert not Path("m.lock").exists()
    with pytest.raises(ModelFileError), locked("m"), locked("m"):
        pass
    with locked("m"):
        pass


def test_an_update_that_is_interrupted(command: Command, kept_model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    Path("m").write_bytes(kept_model)
    days_file("new.csv", 300, 320)
    with monkeypatch.context() as patch:
        patch.setattr(saved, "save_model", interrupt)
        assert command("predict", "m", "new.csv", "--update", "--quiet", "--no-plot").status == 130
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        assert command("predict", "m", "new.csv", "--update", "--quiet", "--no-plot", "--out", "-").status == 130
    assert Path("m").read_bytes() == kept_model
    assert sorted(path.name for path in Path.cwd().iterdir() if path.name != "predictions.csv") == ["m", "new.csv"]


def test_a_model_in_a_place_that_cannot_be_written_to(
    refused: Callable[..., str], kept_model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("m").write_bytes(kept_model)
    days_file("new.csv", 300, 320)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path).name != "m")
    assert refused("predict", "m", "new.csv", "--update") == "Error: m: Permission denied\n"
