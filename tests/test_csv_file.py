"""Reading CSV files: what is understood, and for everything else one line that says what is wrong and where."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from messages import mentions

from reservoir.files import csv_file
from reservoir.files.csv_file import read_cells, read_csv
from reservoir.files.numbers import number
from reservoir.validation import DataError


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "own.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


THREE = [[1.0, 10.0], [2.0, 20.5], [3.0, -3e2]]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,10\n2,20.5\n3,-3e2\n",
        "a,b\r\n1,10\r\n2,20.5\r\n3,-3e2",
        "a,b\r1,10\r2,20.5\r3,-3e2\r",
        "a;b\n1;10\n2;20.5\n3;-3e2\n",
        "a\tb\n1\t10\n2\t20.5\n3\t-3e2\n",
        "a b\n1 10\n2   20.5\n  3 -3e2 \n",
        '"a","b"\n"1","10"\n"2","20.5"\n"3","-3e2"\n',
        '"a", "b"\n"1", "10"\n"2", "20.5"\n"3", "-3e2"\n',
        "a, b\n1, 10\n2, 20.5\n3, -3e2\n",
        "\ufeffa,b\n1,10\n2,20.5\n3,-3e2\n",
        "\n\na,b\n1,10\n\n2,20.5\n3,-3e2\n\n\n",
        "date,a,b\n2000-01-01 00:00,1,10\n2000-01-02 00:00,2,20.5\n2000-01-03 00:00,3,-3e2\n",
        'name,a,b\n"x, y",1,10\n"x\ny",2,20.5\nz,3,-3e2\n',
    ],
)
def test_dialects(tmp_path: Path, content: str) -> None:
    values, names = read_csv(write(tmp_path, content), ["a", "b"])
    np.testing.assert_array_equal(values, THREE)
    assert values.dtype == np.float64
    assert names == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "columns", "names", "values"),
    [
        ("1,10\n2,20.5\n3,-3e2\n", ["1", "2"], ["1", "2"], THREE),
        ("1\n2\n", None, ["1"], [[1.0], [2.0]]),
        ("7", None, ["1"], [[7.0]]),
        ("2000-01,1\n2000-02,2\n", None, ["2"], [[1.0], [2.0]]),
        ("date,price\n2000-01,1\n2000-02,2\n", None, ["price"], [[1.0], [2.0]]),
        (",price\nx,1\ny,2\n", None, ["price"], [[1.0], [2.0]]),
        ("a,b,c\n1,2,3\n4,5,6\n", ["c", "a"], ["c", "a"], [[3.0, 1.0], [6.0, 4.0]]),
        ("sun spots\n5\n6\n", None, ["sun spots"], [[5.0], [6.0]]),
        (" a , b \n1,2\n", ["b"], ["b"], [[2.0]]),
        ("name,a\nn1,1\nNaN,2\n", ["a"], ["a"], [[1.0], [2.0]]),
    ],
)
def test_headers_and_choice_of_columns(
    tmp_path: Path, content: str, columns: list[str] | None, names: list[str], values: list[list[float]]
) -> None:
    got, got_names = read_csv(write(tmp_path, content), columns)
    assert got_names == names
    np.testing.assert_array_equal(got, values)


@pytest.mark.parametrize(
    ("content", "columns", "values"),
    [
        ("a;b\n1,5;-2,25e1\n2;,5\n", ["a", "b"], [[1.5, -22.5], [2.0, 0.5]]),
        ("1,5;2\n2,5;3\n", ["1", "2"], [[1.5, 2.0], [2.5, 3.0]]),
        ("a\tb\n1,5\t2,345\n2,5\t3\n", ["a", "b"], [[1.5, 2.345], [2.5, 3.0]]),
        ("a;b\n1;1.234.567,8\n3;2.345\n", ["b"], [[1234567.8], [2345.0]]),  # decimal commas elsewhere in the column
        ("a;b\n1;1,234.5\n3;2,345\n", ["b"], [[1234.5], [2345.0]]),
        ("a;b\n1;1,234\n3;2,345\n", ["b"], [[1.234], [2.345]]),  # a semicolon keeps decimal commas apart
        ("a;b\nx, y;1.234\nz;2.345\n", ["b"], [[1.234], [2.345]]),
        ('a,b\n1,"1,234"\n3,"12,345,678.5"\n', ["b"], [[1234.0], [12345678.5]]),
        ('a,b\n1,"3,14"\n3,"2,718"\n', ["b"], [[3.14], [2.718]]),
        ("a;b\n1;12 345\n3;1'234'567.5\n", ["b"], [[12345.0], [1234567.5]]),
        ("a;b\n1;12\u202f345,5\n3;1\u00a0234\n", ["b"], [[12345.5], [1234.0]]),
    ],
)
def test_decimal_commas_and_thousands(tmp_path: Path, content: str, columns: list[str], values: list[list[float]]) -> None:
    np.testing.assert_array_equal(read_csv(write(tmp_path, content), columns)[0], values)
    cells = read_cells(write(tmp_path, content))
    found = [[number(cell, cells.marks[name]) for cell in cells.columns[name]] for name in columns]
    assert np.transpose(found).tolist() == values


def test_gzip(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"a;b\n1,5;2\n"))
    assert read_csv(path, ["a"])[0].tolist() == [[1.5]]


def test_bad_cells_outside_the_chosen_columns_do_not_matter(tmp_path: Path) -> None:
    values, _ = read_csv(write(tmp_path, "a,b,c\n1,x,\n2,,nan\n"), ["a"])
    np.testing.assert_array_equal(values, [[1.0], [2.0]])


def test_latin_1_names(tmp_path: Path) -> None:
    values, names = read_csv(write(tmp_path, "größe,b\n1,2\n".encode("latin-1")), ["größe"])
    assert names == ["größe"]
    assert values.tolist() == [[1.0]]


def test_a_file_of_many_blocks(tmp_path: Path) -> None:
    count = 3 * csv_file.ROWS_AT_ONCE + 1
    rows = np.column_stack([np.arange(count), np.random.default_rng(0).normal(size=count)])
    path = tmp_path / "own.csv"
    np.savetxt(path, rows, delimiter=",", header="n,x", comments="", fmt="%.17g")
    values, _ = read_csv(str(path), ["n", "x"])
    np.testing.assert_array_equal(values, rows)
    lines = path.read_text().splitlines()
    lines[count - 1] = "5,oops"  # the header is line 1
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=mentions(f"{count} 'x' 'oops'")):
        read_csv(path, ["x"])


BAD = [
    (b"", None, ["is empty"]),
    (b"\n \r\n", None, ["is empty"]),
    (b"\xef\xbb\xbf", None, ["is empty"]),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", None, ["not a CSV file"]),
    ("a,b\n1,2\n".encode("utf-16"), None, ["not a CSV file", "UTF-8"]),
    (b"a\n1\n\x002\n", None, ["NUL"]),
    (b"a,b\n", None, ["header", "no rows", "a, b"]),
    (b"value\n\n\n", None, ["header", "no rows", "value"]),
    (b"a,b\n1,2\n3,nan\n", ["b"], ["line 3", "column 'b'", "NaN"]),
    (b"a,b\n1,2\n3,-inf\n", ["b"], ["line 3", "column 'b'", "infinity"]),
    (b"a,b\n1,2\n,4\n", ["a", "b"], ["line 3", "column 'a'", "blank"]),
    (b"a,b\n1,2\n  ,4\n", ["a"], ["line 3", "column 'a'", "blank"]),
    (b"a,b\n1,2\n,\n", ["a"], ["line 3", "column 'a'", "blank"]),
    (b"a\n1\n\n3\n", None, ["line 3", "column 'a'", "blank"]),
    (b"1\n\n3\n", None, ["line 2", "column '1'", "blank"]),
    (b"a,b\n1,2\n3,high\n", ["b"], ["line 3", "column 'b'", "'high' is not a number"]),
    (b"a,b\n1,2\n3,4\n5,1_000\n", ["b"], ["line 4", "'1_000' is not a number"]),
    (b"a;b\n1,5;2\n2.5;3\n", ["a"], ["line 3", "'2.5' is not a number; the column has decimal commas, write all alike"]),
    (b"a;b\n1.5;2\n2.5;3\n3,5;2", ["a"], ["line 4", "'3,5' is not a number; the column has decimal points"]),
    (b"a\tb\n1,234\t2\n2,345\t3\n", ["a"], ["column 'a'", "'1,234' may have a decimal mark or a thousands separator"]),
    (b"a;b\n1,5;2.345\n2,5;3.456\n", ["b"], ["column 'b'", "'2.345' may have"]),
    (b"a;b\n1.5;2,345\n2.5;3,456\n", ["b"], ["column 'b'", "'2,345' may have"]),
    (b"a;b\n1,5;2\n12,3,4;3\n", ["a"], ["line 3", "'12,3,4' is not a number."]),
    (b"a;b\n1;2\n1_000;3\n0,5;1", ["a"], ["line 3", "'1_000' is not a number."]),
    (b"a,b\n1,3,14\n2,2,71\n", ["b"], ["line 2", "3 cells where the first row has 2; a decimal comma under a comma separator?"]),
    (b"\x1f\x8b\x08\x00", None, ["is a damaged gzip file"]),
    (b"a\n1\n\n3\n", None, ["the cell is blank; interpolate it first"]),
    (b"a\n1\ntwo\n3\n", None, ["line 3", "column 'a'", "'two'"]),
    (b"day,a\nmon,1\ntue,?\nwed,3\n", None, ["line 3", "column 'a'", "'?'"]),
    (b'a,b\n"x\ny",2\nz,bad\n', ["b"], ["line 4", "'bad'"]),
    (b"a,b\n1,2\n", ["c"], ["no column 'c'", "Columns: a, b"]),
    (b"price,b\n1,2\n", ["prise"], ["Did you mean price?"]),
    (b"a,a\n1,2\n", ["a"], ["2 columns are called 'a'"]),
    (b"a,b\n1,2\n", [], ["no column was asked for", "a, b"]),
    (b"a,b\n1,2\n3,4\n", None, ["2 columns hold numbers", "Columns: a, b"]),
    (b"a,b\nx,y\nz,w\n", None, ["no column holds numbers", "a, b"]),
    (b"a,b\n1,2\n3\n", ["a"], ["line 3", "1 cells", "2"]),
    (b"a,b\n1,2\n3,4,5\n", ["a"], ["line 3", "3 cells", "2"]),
    (b"a b\n1 2\n3 4\n5\n", ["a"], ["line 4", "1 cells", "2"]),
    (b"a,b\n1," + b"9" * 200_000 + b"\n", ["b"], ["line 2", "field"]),
    (b"just a sentence\n", None, ["own.csv"]),
    ("\n".join(f"line {'x ' * n}" for n in range(9)).encode(), None, ["own.csv"]),
]


@pytest.mark.parametrize(("content", "columns", "parts"), BAD)
def test_bad_files_get_one_line(tmp_path: Path, content: bytes, columns: list[str] | None, parts: list[str]) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_csv(path, columns)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 160
    for part in parts:
        assert part in message


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    path = write(tmp_path, ",".join(f"c{i}" for i in range(300)) + "\n" + ",".join("1" * 300) + "\n")
    with pytest.raises(DataError, match=mentions("c18 c19 280")):
        read_csv(path)


def test_no_file_a_directory_and_bad_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=mentions("absent.csv file")):
        read_csv(tmp_path / "absent.csv")
    with pytest.raises(DataError, match=mentions("directory")):
        read_csv(tmp_path)
    with pytest.raises(DataError, match=mentions("read")):
        read_csv("a\0b")
    with pytest.raises(DataError, match=mentions("read")):
        read_csv(write(tmp_path, "1\n") / "below")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    # A file mode would not stop a test that runs as the superuser.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DataError, match=mentions("own.csv permission")):
        read_csv(tmp_path / "own.csv")
