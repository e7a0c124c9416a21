"""The command line as a program: its help and lists, what it imports, its streams, Ctrl-C while it starts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import QUICK, SHORT, Command

import reservoir
from reservoir.base.tables import Table, table_text
from reservoir.commands.main import cli
from reservoir.echo.readouts.table import READOUTS
from reservoir.models import MODELS
from reservoir.tasks import get_task, list_tasks

ROOT = Path(__file__).parent.parent


def test_alone_it_shows_its_help(command: Command) -> None:
    assert command() == command("--help") == command("-h")
    status, out, err = command()
    assert (status, err) == (0, "")
    for name in cli.commands:
        assert re.search(rf"^  {name} .*\.$", out, re.MULTILINE)  # a whole sentence, not one cut short
    assert command("--version") == (0, f"{reservoir.__version__}\n", "")


def examples(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip().startswith("reservoir ")]


@pytest.mark.parametrize("name", ["", *cli.commands])
def test_help_keeps_its_examples_on_lines_of_their_own(command: Command, name: str) -> None:
    status, out, err = command(*name.split(), "--help")
    assert (status, err) == (0, "")
    assert "\b" not in out and r"\b" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert examples(out) == examples((cli.commands[name] if name else cli).help)


@pytest.mark.parametrize("example", [line for c in (cli, *cli.commands.values()) for line in examples(c.help)])
def test_examples_in_the_help_can_be_parsed(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sweep.toml").write_text('task = "narma10"', encoding="utf-8")
    name, *args = shlex.split(example.partition("   ")[0])[1:]
    cli.commands[name].make_context(name, args)


@pytest.mark.parametrize("columns", [80, 160])
def test_lists_fit_the_width(command: Command, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for args in (("tasks",), ("models",), ("run", *QUICK, "--seeds", "0:2"), ("inspect", "--set", "units=12")):
        status, out, err = command(*args)
        assert (status, err) == (0, "")
        assert max(map(len, out.splitlines())) <= columns
        assert all(line == line.rstrip() for line in out.splitlines())


def test_tasks_are_listed_by_their_whole_names(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    first = [line.split()[0] for line in command("tasks").out.splitlines() if re.match(r" \w", line)]
    assert first == ["name", *list_tasks()]


def test_slow_tasks_are_marked(command: Command) -> None:
    lines = {line.split()[0]: line for line in command("tasks").out.splitlines() if re.match(r" \w", line)}
    assert "esn, gradient" in lines["copy"] and "gradient" not in lines["narma10"]
    assert set(get_task("lorenz").slow) == {"gradient"}


@pytest.mark.parametrize("name", ["a column of a users file " * 6, "unbroken" * 20])
def test_a_long_name_leaves_room_for_the_other_columns(name: str) -> None:
    rows = [[name, "naive", "0.125"], ["b", "", "7"]]
    text = table_text(Table("T", ["column", "forecast", "rmse / best naive"], rows, ["Note."]), 60)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 60
    assert "naive" in text and "0.125" in text
    assert "".join(line[:29] for line in lines[4:-3]).replace(" ", "").startswith(name.replace(" ", "")[:40])
    assert lines[-2:] == ["", "Note."]


HEADS = ["seed", "nmse", "baseline: linear regression", "weights", "fit s", "predict s", "parameters", "solved", "failed"]


@pytest.mark.parametrize("width", [40, 60, 100])
def test_titles_and_heads_break_between_words(width: int) -> None:
    title = "narma10, package.module:Class: normalized mean squared error of the test split, lower is better"
    rows = [["mean", "0.03456", "0.1482", "10,000", "0.034", "0.001", "211", "4/5", "0"]]
    text = table_text(Table(title, HEADS, rows, []), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    words = text.split()
    for word in " ".join([title, *HEADS, *rows[0]]).split():
        assert word in words
    assert len(lines[: lines.index("")]) == -(-len(title) // (width - 5))  # as few lines as the width allows


def test_columns_that_do_not_fit_follow_below() -> None:
    text = table_text(Table("T", ["model", *["parameters"] * 3], [["esn", "1", "2", "3"]], []), 32)
    assert text.splitlines() == [
        "T", "",
        " model  parameters  parameters",
        " ─────────────────────────────",
        " esn             1           2", "",
        " model  parameters",
        " ─────────────────",
        " esn             3",
    ]  # fmt: skip


def test_the_page_of_each_task(command: Command) -> None:
    facts = {fact["name"]: fact for fact in map(json.loads, command("tasks", "--json").out.splitlines())}
    assert list(facts) == list_tasks()
    for name, fact in facts.items():
        status, page, err = command("tasks", name)
        assert (status, err) == (0, "")
        assert fact["definition"] in page and fact["metric"] in page
        assert page.count("Published:") <= 1
        options = get_task(name, path="x").options() if name == "csv" else get_task(name).options()
        assert list(fact["options"]) == list(options)
        for option in options:
            assert re.search(rf"^  {option} = .*: \S", page, re.MULTILINE)
        for parameter, value in fact["settings"]["esn"].items():
            assert f"  {parameter.replace('__', '.')} = {value!r}\n" in page + "\n"
        assert " object at 0x" not in page + json.dumps(fact)
    assert json.loads(command("tasks", "lorenz", "--json").out) == facts["lorenz"]


def test_the_page_of_a_model(command: Command) -> None:
    page = command("models", "esn").out
    for name, constraint in reservoir.ESN.constraints.items():
        assert re.search(rf"^  {name} = .*: {re.escape(str(constraint))}$", page, re.MULTILINE)
    assert "cycle_jumps: " in page and "jump=5" in page and "RidgeClassifier: " in page
    assert ">>>" not in page  # the rest of the docstring is for Python
    fact = json.loads(command("models", "esn", "--json").out)
    assert fact["parameters"]["units"] == {"default": 500, "constraint": "an integer in [1, inf)"}
    assert fact["parts"]["readout"]["LeastMeanSquares"]["normalized"] == {"default": True, "constraint": "one of True, False"}
    for name, readout in READOUTS.items():
        assert f"\n{name} (--set readout={name}, --set readout.NAME=VALUE)\n" in page
        for parameter, constraint in readout.constraints.items():
            assert re.search(rf"^  {parameter} = .*: {re.escape(str(constraint))}$", page, re.MULTILINE)
    assert [json.loads(line)["name"] for line in command("models", "--json").out.splitlines()] == list(MODELS)


def ask(
    *args: str, code: str = "from reservoir.commands.main import main; main()", **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run the program, or some code, as a process of its own."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **{k: options.pop(k) for k in list(options) if k.isupper()}}
    options = {"capture_output": True, **options}
    return subprocess.run([sys.executable, "-c", code, *args], cwd=ROOT, env=environment, check=False, **options)


IMPORTED = "print(*sorted({{name.partition('.')[0] for name in sys.modules}} & {names!r}), file=sys.stderr)"


def test_the_help_imports_nothing_heavy_and_a_run_only_what_it_uses() -> None:
    heavy = {"numba", "scipy", "numpy", "sklearn", "matplotlib", "rich", "safetensors"}
    found = ask("--help", code="import sys; from reservoir.commands.main import main; main(); " + IMPORTED.format(names=heavy))
    assert (found.returncode, found.stderr) == (0, b"\n")
    unused = {"sklearn", "matplotlib", "pandas", "optuna"}
    found = ask(
        "run", *QUICK, code="import sys; from reservoir.commands.main import main; main(); " + IMPORTED.format(names=unused)
    )
    assert (found.returncode, found.stderr) == (0, b"\n")


INTERRUPTED = """
import sys
class Finder:
    def find_spec(name, *_):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder)
from reservoir.commands.main import main
main()
"""


@pytest.mark.parametrize("name", ["click", "numpy", "numba"])
def test_ctrl_c_during_the_imports(name: str) -> None:
    found = ask("run", *QUICK, code=INTERRUPTED.format(name=name))
    assert found.returncode == 130
    assert b"Traceback" not in found.stderr
    assert found.stderr.strip().count(b"\n") == 0


def of_group(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()  # state, parent, group, ...
            found += [path.parent.name] if fields[0] != "Z" and int(fields[2]) == group else []
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("later", [False, True])
def test_ctrl_c_at_the_keyboard_ends_all_processes_of_a_comparison(tmp_path: Path, later: bool) -> None:
    args = ["compare", "narma10", "lorenz", "--models", "esn", "--seeds", "0:60", *SHORT, "--set", "units=100", "--jobs", "2"]
    program = subprocess.Popen(
        [sys.executable, ROOT / "cli.py", *args, "--task-set", "lorenz.starts=1"], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    # Either while the processes begin, or once the first task is finished.
    while not ((tmp_path / "comparison" / "report.html").exists() if later else len(of_group(program.pid)) >= 3):
        assert program.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does
    out, err = program.communicate()
    kept = b"Interrupted; comparison keeps the"  # or none yet
    assert program.returncode == 130 and err.strip().startswith(kept if later else b"Interrupted")
    assert err.strip().count(b"\n") == 0
    assert (b"narma10: nmse, lower is better; seeds 0:60" in out) is later
    for _ in range(600):  # the last one to go is Python's own helper
        if not of_group(program.pid):
            break
        time.sleep(0.05)
    assert of_group(program.pid) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output() -> None:
    with open("/dev/full", "wb") as full:
        found = ask("tasks", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (found.returncode, found.stderr) == (1, b"Error: No space left on device\n")


def test_a_reader_that_goes_away_and_a_closed_output_are_no_errors_to_speak_of() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        found = ask("tasks", "--json", capture_output=False, stdout=pipe, stderr=subprocess.PIPE)
    assert (found.returncode, found.stderr) == (1, b"")
    shell = subprocess.run(
        ["sh", "-c", f"{shlex.quote(sys.executable)} cli.py tasks >&-"], cwd=ROOT, capture_output=True, check=False
    )
    assert (shell.returncode, shell.stderr) == (0, b"")
