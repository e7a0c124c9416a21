"""`reservoir forecast` and `reservoir backtest`: what they print and write, and what they say of bad input."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import NO_NETWORK, Command, csv_file, wave

from reservoir import Forecaster, backtest, forecast
from reservoir.commands import console

DAYS = (np.datetime64("2024-01-01", "D") + np.arange(330)).astype(str).tolist()
NAMES = [
    "column",
    "group",
    "method",
    "horizon",
    "origins",
    "rmse",
    "mae",
    "mase",
    "smape",
    "coverage",
    "interval_score",
    "verdict",
]


def stacked(rows: int = 60, few: int = 9) -> str:
    """Two series one below the other, the second too short, with a column that is known for 5 days more."""
    lines = ["day,shop,sold,heat"]
    for shop, count in (("north", rows), ("few", few)):
        values = [*map(str, wave(count)), *[""] * 5]
        lines += [f"{day},{shop},{value},{k % 3}" for k, (day, value) in enumerate(zip(DAYS[: count + 5], values, strict=True))]
    Path("shops.csv").write_text("\n".join(lines) + "\n")
    return "shops.csv"


# What is printed and written


def test_forecast_writes_the_steps_past_the_end(command: Command) -> None:
    status, out, err = command("forecast", csv_file(), "--horizon", "30")
    assert (status, err) == (0, "")
    assert sorted(os.listdir()) == ["data.csv", "forecast.csv", "forecast.png"]
    assert out.endswith("Forecast written to forecast.csv, picture to forecast.png.\n")
    header, *lines = Path("forecast.csv").read_text().splitlines()
    assert header == "row,load,load_lower_80,load_upper_80,load_lower_95,load_upper_95"
    rows = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    assert rows[:, 0].tolist() == list(range(301, 331))
    assert np.abs(rows[:, 1] - np.sin(2 * np.pi * np.arange(300, 330) / 20)).max() < 0.3
    assert (np.diff(rows[:, [4, 2, 1, 3, 5]], axis=1) > 0.0).all()
    np.testing.assert_array_equal(rows[:, 1], Forecaster(30).fit(wave()).predict().values[:, 0])
    assert "load: models the series itself, with a season of 20 rows." in out
    assert " times the error of the seasonal naive forecast (season 20), from 16 earlier origins." in out
    assert "load: weights from 16 earlier origins: " in out and "reservoir " in out


def test_forecast_json_agrees_with_the_file(command: Command) -> None:
    csv_file(day=DAYS[:300], load=wave(), flow=np.roll(wave(), 3))
    args = ("--column", "load,flow", "--json", "--out", "f.csv", "--plot", "p.svg", "--level", "50,90", *NO_NETWORK)
    status, out, err = command("forecast", "data.csv", *args)
    assert (status, err) == (0, "")
    load, flow = (json.loads(line) for line in out.splitlines())
    assert (load["column"], flow["column"], load["group"], load["rows"], load["horizon"]) == ("load", "flow", None, 300, 30)
    header, *lines = (line.split(",") for line in Path("f.csv").read_text().splitlines())
    assert header == [
        "time", "load", "load_lower_50", "load_upper_50", "load_lower_90", "load_upper_90",
        "flow", "flow_lower_50", "flow_upper_50", "flow_lower_90", "flow_upper_90",
    ]  # fmt: skip
    assert [line[0] for line in lines] == load["times"] == DAYS[300:]
    assert [float(line[1]) for line in lines] == load["forecast"]
    assert [float(line[10]) for line in lines] == flow["upper"]["90"]
    assert load["verdict"].endswith("times the error of the seasonal naive forecast (season 20)")
    assert Path("p.svg").read_text().startswith("<?xml")


def test_every_option_reaches_the_forecaster(command: Command) -> None:
    values = np.where(np.arange(120) % 50 == 7, np.nan, np.rint(20.0 + 5.0 * wave(120)))
    heat = np.arange(126) % 3
    cells = [*(("" if np.isnan(value) else value) for value in values), *[""] * 6]
    csv_file(when=DAYS[:126], sold=cells, heat=heat, wind=[*wave(120), *[""] * 6])
    options = "--time when --known heat --past wind --horizon 6 --season 7,20.5 --fill last --level 90 --without theta --round"
    options += " --seed 3 --bands reservoir --holidays DE"
    status, out, _ = command("forecast", "data.csv", "--column", "sold", *options.split(), "--json", "--no-plot")
    model = Forecaster(
        6,
        seasons=[7, 20.5],
        fill="last",
        levels=[90],
        without=["theta"],
        whole_numbers=True,
        random_state=3,
        bands="reservoir",
        holidays="DE",
    )
    expected = forecast(values, model, known=heat, past=wave(120), time=np.array(DAYS[:126], "M8[s]")).groups[0].forecast
    found = json.loads(out)
    assert status == 0 and found["forecast"] == expected.values[:, 0].tolist()
    assert found["lower"] == {"90": expected.lower[0, :, 0].tolist()} and "theta" not in found["weights"]
    assert json.loads(command("forecast", "data.csv", "--column", "sold", "--time", "when", "--horizon", "3", "--fill", "last",
                              "--season", "none", "--json", "--no-plot", *NO_NETWORK).out)["season"] == 1  # fmt: skip


def test_the_future_comes_from_a_second_file(command: Command) -> None:
    heat = (np.random.default_rng(0).random(106) < 0.2).astype(int)
    sold = wave(100) + 3.0 * heat[:100]
    csv_file("past.csv", day=DAYS[:100], sold=sold, heat=heat[:100])
    csv_file("later.csv", day=DAYS[100:106], heat=heat[100:])
    csv_file("whole.csv", day=DAYS[:106], sold=[*sold, *[""] * 6], heat=heat)
    args = ("--column", "sold", "--known", "heat", "--horizon", "6", "--no-plot", *NO_NETWORK)
    assert command("forecast", "past.csv", "--future", "later.csv", "--out", "a.csv", *args).status == 0
    assert command("forecast", "whole.csv", "--out", "b.csv", *args).status == 0
    assert Path("a.csv").read_text() == Path("b.csv").read_text()


def test_a_group_that_is_too_short_is_left_out_with_a_warning(command: Command) -> None:
    args = ("--column", "sold", "--group", "shop", "--horizon", "5", *NO_NETWORK)
    warning = "Warning: Group 'few' is left out: Series 'sold' has 9 rows; a horizon of 5 needs at least 13. "
    status, out, err = command("forecast", stacked(), *args, "--quiet", "--no-plot")
    assert (status, out) == (0, "") and err.startswith(warning) and err.count("\n") == 1
    header, *lines = Path("forecast.csv").read_text().splitlines()
    assert header.startswith("group,time,sold,") and len(lines) == 5 and lines[0].startswith("north,2024-03-01,")
    status, out, err = command("backtest", "shops.csv", *args, "--origins", "2", "--json")
    assert status == 0 and "Group 'few' is left out: The series have 9 rows, enough for 0 origins" in err
    assert {json.loads(line)["group"] for line in out.splitlines()} == {"north"}


def test_backtest_prints_a_row_for_each_method(command: Command) -> None:
    status, out, err = command(
        "backtest", csv_file(), "--horizon", "24", "--origins", "4", "--season", "20", "--json", *NO_NETWORK
    )
    assert (status, err, os.listdir()) == (0, "", ["data.csv"])
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["method"] for record in records[:5]] == [
        "forecast", "naive", "seasonal naive", "seasonal naive with drift", "linear regression",
    ]  # fmt: skip
    for record in records:
        assert list(record) == NAMES
        assert (record["column"], record["group"], record["horizon"], record["origins"]) == ("load", None, 24, 4)
    model = Forecaster(24, seasons=[20], without=["reservoir", "reservoir with others"])
    assert records == json.loads(json.dumps(backtest(wave(), model, origins=4, columns=["load"]).records()))
    assert records[0]["rmse"] < records[2]["rmse"] < records[1]["rmse"]


def test_backtest_writes_errors_and_a_picture(command: Command) -> None:
    args = ("backtest", csv_file(), "--horizon", "10", "--origins", "3", "--every", "2", "--out", "e.csv", "--plot", "b.png")
    status, out, err = command(*args, *NO_NETWORK)
    assert (status, err) == (0, "") and out.startswith("Errors over 3 origins, 10 steps each\n")
    assert "load: of the rows, the 80 % band " in out and out.endswith("Errors written to e.csv.\nPicture written to b.png.\n")
    assert Path("e.csv").read_text().startswith("column,group,method,horizon,origins,rmse,mae,mase,smape,verdict,coverage_80")
    assert Path("b.png").read_bytes().startswith(b"\x89PNG")
    status, out, _ = command(*args[:2], "--horizon", "10", "--origins", "1", "--out", "-", *NO_NETWORK)
    assert status == 0 and len(out.splitlines()) == 10 and out.startswith("column,group,method,")


def test_forecast_of_a_record_that_ends_constant(command: Command) -> None:
    flat = wave()
    flat[-31:] = flat[-31]
    status, out, err = command("forecast", csv_file(load=flat), "--horizon", "10", "--no-plot", *NO_NETWORK)
    assert (status, err) == (0, "") and "nan" not in out


def test_forecast_without_matplotlib_leaves_the_picture_out(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "find_spec", lambda name: None)
    status, out, _ = command("forecast", csv_file(), *NO_NETWORK)
    assert status == 0
    assert out.endswith("Forecast written to forecast.csv, no picture: matplotlib is not installed.\n")
    assert sorted(os.listdir()) == ["data.csv", "forecast.csv"]


def test_columns_are_named_by_commas_and_in_quotes(command: Command) -> None:
    name = csv_file(**{'"price, net"': wave(60), "b": wave(60)[::-1], "c": wave(60)})
    for columns, names in (
        (('"price, net"',), ["price, net"]), (('c, "price, net"',), ["c", "price, net"]), (("b", "c"), ["b", "c"]),
    ):  # fmt: skip
        options = [part for column in columns for part in ("--column", column)]
        out = command("forecast", name, "--json", "--no-plot", "--horizon", "3", *options, *NO_NETWORK).out
        assert [json.loads(line)["column"] for line in out.splitlines()] == names


# Bad input


@pytest.mark.parametrize("verb", ["forecast", "backtest"])
@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("", ["'FILE'", " --help."]),
        ("absent.csv", ["absent.csv", "no such file"]),
        ("folder", ["folder", "directory"]),
        ("data.csv --column laod", ["'laod'", "Did you mean load?", "Columns: load"]),
        ("data.csv --column load --column load", ["--column", "load twice"]),
        ("two.csv", ["2 columns could be the target", "a, b"]),
        ("two.csv --column a --known b --known b", ["--known", "b twice"]),
        ("two.csv --column a --known a", ["column 'a' is named 2 times"]),
        ("two.csv --column a --known c", ["no column 'c'"]),
        ("two.csv --column a --past c", ["no column 'c'"]),
        ("two.csv --column a --group c", ["no column 'c'"]),
        ("two.csv --column a --time c", ["no column 'c'"]),
        ("two.csv --column a --time b", ["line 2, column 'b'", "is no time"]),
        ("data.csv --horizon 0", ["'--horizon'", "x>=1"]),
        ("data.csv --horizon ten", ["'--horizon'", "'ten' is not a valid integer"]),
        ("data.csv --horizon 300", ["300 rows"]),
        ("data.csv --season 0.5", ["'--season'", "numbers of rows above 1", "as 7,365.25", "Got '0.5'"]),
        ("data.csv --season week", ["'--season'", "Got 'week'"]),
        ("data.csv --season nan", ["'--season'", "Got 'nan'"]),
        ("data.csv --level 0", ["'--level'", "above 0 and below 100", "Got '0'"]),
        ("data.csv --level 80,100", ["'--level'", "Got '80,100'"]),
        ("data.csv --level=-5", ["'--level'"]),
        ("data.csv --level nan", ["'--level'"]),
        ("data.csv --level 99.99", ["'levels'", "at most 99.", "Got 99.99", "give more rows"]),
        ("data.csv --fill mean", ["'--fill'", "linear", "'mean'"]),
        ("data.csv --without teta", ["'without'", "'teta'", "Did you mean theta?"]),
        ("data.csv --without 'seasonal naive,drift,theta,linear,reservoir'", ["'without'", "must leave a part"]),
        ("data.csv --seed -1", ["'--seed'", "x>=0"]),
        ("data.csv --out absent/f.csv", ["absent: no such folder"]),
        ("data.csv --out data.csv", ["data.csv", "is the input"]),
        ("data.csv --out folder/../data.csv", ["is the input"]),
        ("data.csv --out link.csv", ["is the input"]),
        ("data.csv --out f.png --plot ./f.png", ["f.png", "another output"]),
        ("data.csv --plot picture.bmp", [".png, .svg or .pdf"]),
        ("constant.csv", ["Series 'load' is constant (4.5)"]),
        ("far.csv", ["Series 'load' lies between -1e+300 and 1e+300"]),
        (
            "gaps.csv --column load",
            ["Series 'load': 1 of ", "missing, at most 1 in a row", "'seasonal' or 'last'"],
        ),
        ("stacked.csv --column load", ["have the same time 2024-01-01", "2 series", "group 'shop'"]),
        ("stacked.csv --column load --group shop --horizon 400", ["150 rows", "a horizon of 400"]),
        ("twice.csv", ["have the same time 2024-01-05"]),
        ("unsorted.csv", ["out of order"]),
        ("mixed.csv", ["frequencies are mixed"]),
        ("irregular.csv", ["the frequencies are mixed or the steps irregular"]),
        ("unreadable.csv", ["line 9, column 'day'", "'2024-13-01'", "cannot be read as a time"]),
        ("blank_time.csv", ["line 4, column 'day'", "the time is blank"]),
        ("comma.csv", ["line 2", "has 2 cells", "decimal comma under a comma separator"]),
        ("word.csv", ["line 52", "'three' is not a number"]),
        ("empty.csv", ["is empty"]),
        ("binary.csv", ["not a CSV file"]),
        ("zone.csv --timezone Europe/Belrin", ["'timezone'", "'Europe/Belrin'"]),
        ("known.csv --column load --known heat --horizon 5", ["Known column 'heat' ends at 2024-10-"]),
    ],
)
def test_bad_input(refused: Callable[..., str], verb: str, args: str, parts: list[str]) -> None:
    csv_file()
    csv_file("two.csv", a=wave(), b=wave())
    csv_file("constant.csv", load=[4.5] * 100)
    csv_file("far.csv", load=[1e300, -1e300] * 50)
    csv_file("gaps.csv", n=range(300), load=[*wave(40), "", *wave(259)])
    csv_file("stacked.csv", day=DAYS[:150] * 2, shop=["a"] * 150 + ["b"] * 150, load=wave())
    csv_file("twice.csv", day=[*DAYS[:5], *DAYS[4:99]], load=wave(100))
    csv_file("unsorted.csv", day=[*DAYS[50:100], *DAYS[:50]], load=wave(100))
    csv_file("mixed.csv", day=[*DAYS[:50], *DAYS[50::7]], load=wave(50 + len(DAYS[50::7])))
    hours = [f"2024-01-01 {k:02}:00" for k in range(20)]
    csv_file("irregular.csv", day=[*hours, "2024-01-01 20:17"], load=wave(21))
    csv_file("unreadable.csv", day=[*DAYS[:7], "2024-13-01", *DAYS[8:100]], load=wave(100))
    csv_file("blank_time.csv", day=[*DAYS[:2], "", *DAYS[3:100]], load=wave(100))
    Path("comma.csv").write_text("load\n" + "1,5\n2,5\n" * 50)
    csv_file("word.csv", load=[*wave(50), "three", *wave(50)])
    Path("empty.csv").touch()
    Path("binary.csv").write_bytes(b"\x00\x01\x02\xff" * 40)
    csv_file("zone.csv", day=hours, load=wave(20))
    csv_file("known.csv", day=DAYS[:300], load=wave(), heat=[*wave(298), "", ""])
    Path("folder").mkdir()
    Path("link.csv").symlink_to("data.csv")
    err = refused(verb, *shlex.split(args))
    for part in parts:
        assert part in err


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ("forecast data.csv --out f.png", ["f.png", "another output"]),
        ("forecast data.csv --plot a.png --no-plot", ["--plot and --no-plot exclude each other"]),
        ("forecast data.csv --future absent.csv", ["--future holds the columns that --known names"]),
        ("forecast two.csv --column a --known b --future absent.csv --horizon 3", ["absent.csv", "no such file"]),
        ("forecast two.csv --column a --known b --future data.csv", ["data.csv", "no column 'b'"]),
        ("forecast two.csv --column a --known b --horizon 3", ["Known column 'b' ends in row 300, with the series", "needs 3"]),
        ("forecast two.csv --column a --known b --future few.csv --horizon 3", ["Known column 'b'", "2 rows past the end"]),
        ("backtest data.csv --origins 0", ["'--origins'", "x>=1"]),
        ("backtest data.csv --every 0", ["'--every'", "x>=1"]),
        ("backtest data.csv --origins 99", ["300 rows, enough for", "Got 99"]),
        ("backtest data.csv --holdout 3", ["--holdout"]),
    ],
)
def test_bad_input_of_one_of_them(refused: Callable[..., str], args: str, parts: list[str]) -> None:
    csv_file()
    csv_file("two.csv", a=wave(), b=wave())
    csv_file("few.csv", b=[1, 2])
    err = refused(*shlex.split(args))
    for part in parts:
        assert part in err
