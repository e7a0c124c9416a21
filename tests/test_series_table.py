"""Series in CSV files: the time column, targets, columns beside them, groups, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import DataError
from reservoir.files.csv_file import read_cells
from reservoir.forecasting.table import SeriesTable, read_series

LONG = """day,shop,sold,heat
2024-01-01,north,5,1.5
2024-01-02,north,,2.5
2024-01-01,south,7,3.5
2024-01-03,north,6,4
2024-01-02,south,8,5
2024-01-04,north,,6
"""


def written(folder: Path, text: str) -> str:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def only(folder: Path, text: str, **options: Any) -> SeriesTable:
    [table] = read_series(written(folder, text), **options)
    return table


def test_a_time_column_is_found_beside_the_only_numbers(tmp_path: Path) -> None:
    table = only(tmp_path, "month,sales\n2024-01,3\n2024-02,NA\n2024-03,5\n")
    assert table.names == ("sales",) and table.group is None and table.known is None and table.past.shape == (3, 0)
    assert table.series[:, 0].tolist()[::2] == [3.0, 5.0] and np.isnan(table.series[1, 0])
    assert table.times is not None and table.times.astype("M8[M]").astype(str).tolist() == ["2024-01", "2024-02", "2024-03"]


def test_a_group_without_targets_has_no_rows(tmp_path: Path) -> None:
    text = "t,g,y,k\n2024-01-01,a,,1\n2024-01-01,b,2,3\n"
    empty, other = read_series(written(tmp_path, text), ["y"], group="g", known=["k"])
    assert empty.series.shape == (0, 1) and empty.known is not None and empty.known.tolist() == [[1.0]]
    assert other.series.tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("date,x\n19580329,1.5\n19580405,2.5\n", "1958-03-29"),
        ("Year,x\n1700,1.5\n1701,2.5\n", "1700-01-01"),
        ("n,when,x\n0,Jan-1-1995,4\n1,Feb-1-1995,6\n", "1995-01-01"),  # n rises by one: an index
    ],
)
def test_odd_time_columns(tmp_path: Path, text: str, first: str) -> None:
    table = only(tmp_path, text)
    assert table.names == ("x",)
    assert table.times is not None and table.times[0] == np.datetime64(first)


def test_a_file_without_times(tmp_path: Path) -> None:
    table = only(tmp_path, "1958\n1960\n1970\n")
    assert table.times is None and table.series[:, 0].tolist() == [1958.0, 1960.0, 1970.0]


def test_known_columns_reach_beyond_the_last_target(tmp_path: Path) -> None:
    table = only(
        tmp_path, "t,y,k,p\n2024-01-01,1,5,7\n2024-01-02,2,6,8\n2024-01-03,,7,\n", columns=["y"], known=["k"], past=["p"]
    )
    assert table.series.tolist() == [[1.0], [2.0]] and table.past.tolist() == [[7.0], [8.0]]
    assert table.known is not None and table.known.tolist() == [[5.0], [6.0], [7.0]]
    assert table.times is not None and len(table.times) == 3
    without = only(tmp_path, "t,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,\n")
    assert without.times is not None and len(without.series) == len(without.times) == 2


def test_groups_are_series_of_their_own(tmp_path: Path) -> None:
    north, south = read_series(written(tmp_path, LONG), ["sold"], group="shop", known=["heat"])
    assert (north.group, south.group) == ("north", "south")
    assert north.series[[0, 2], 0].tolist() == [5.0, 6.0] and south.series[:, 0].tolist() == [7.0, 8.0]
    assert north.known is not None and north.known[:, 0].tolist() == [1.5, 2.5, 4.0, 6.0]
    assert south.times is not None and south.times.astype("M8[D]").astype(str).tolist() == ["2024-01-01", "2024-01-02"]


def test_several_targets_and_decimal_commas(tmp_path: Path) -> None:
    table = only(tmp_path, "t;a;b\n01.02.2024;1,5;2\n02.02.2024;2,5;3\n", columns=["b", "a"])
    assert table.names == ("b", "a") and table.series.tolist() == [[2.0, 1.5], [3.0, 2.5]]
    assert table.times is not None and table.times[0] == np.datetime64("2024-02-01")


def test_a_group_without_values_leaves_the_others(tmp_path: Path) -> None:
    empty, other = read_series(written(tmp_path, "t,g,y\n2024-01-01,a,\n2024-01-01,b,2\n"), ["y"], group="g")
    assert empty.group == "a" and empty.series.shape == (0, 1) and other.series.tolist() == [[2.0]]


def test_every_column_of_numbers_is_a_target_if_asked_for(tmp_path: Path) -> None:
    table = only(tmp_path, "n,t,a,b\n1,2024-01-01,5,7\n2,2024-01-02,4,9\n", every_column=True)
    assert table.names == ("a", "b")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (LONG, {"columns": ["sold"]}, "2 4 2024-01-01"),
        ("t,y\n2024-01-01,1\n2024-01-01,2\n2024-01-02,2\n", {}, "2 3 Remove"),
        (LONG, {"group": "shop"}, "2 target"),
        (LONG, {"columns": ["sould"]}, "'sould' sold"),
        (LONG, {"columns": ["sold"], "known": ["sold"]}, "'sold' 2"),
        ("t,y\n2024-01-01,1\n2024-01-02,2x\n", {"columns": ["y"]}, "3 'y' '2x'"),
        ("t,y\n2024-01-01,1\n2024-01-02,inf\n", {"columns": ["y"]}, "3 'y' 'inf'"),
        ("t,y\n2024-01-01,1\nlater,2\n", {}, "3 't' 'later'"),
        (
            "t,y\n2024-01-01,1,5\n2024-01-02,2,5\n2024-01-03,2,5\n",
            {},
            "2 3 decimal",
        ),
        ("t,y\n2024-01-01,\n2024-01-02,\n", {"columns": ["y"]}, "'y'"),
        ("t,y\n2024-01-01,1\n2024-01-03,2\n2024-01-02,3\n", {}, "4 't' 2024-01-02"),
        (
            "t,g,y\n2024-01-01,a,1\n2024-01-01,b,2\n2024-01-02,a,1\n2024-01-02,a,2\n",
            {"columns": ["y"], "group": "g"},
            "5 't'",
        ),
        (
            "t;y\n2024-01-01;1,5\n2024-01-02;2.5\n",
            {"columns": ["y"]},
            "3 '2.5'",
        ),
        ("t,y\n2024-01-01,a\n", {}, "numbers holds"),
        ("y,y\n1,2\n", {}, "2 'y'"),
        ("", {}, "empty file"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, options: dict[str, Any], message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=mentions(message)) as caught:
        read_series(path, **options)
    assert "\n" not in str(caught.value)


def test_cells_are_read_as_they_stand(tmp_path: Path) -> None:
    columns, lines, marks = read_cells(written(tmp_path, 'a,"b c"\n1 , "x, y"\n\n2,\n'))
    assert columns == {"a": ["1", "2"], "b c": ["x, y", ""]}
    assert lines == [2, 4]
    assert marks == {"a": ".", "b c": "."}
