"""The progress bar: what it counts, and when there is none."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from commands import QUICK, Command

from reservoir.commands.console import Bar, explanation, interrupted, progress
from reservoir.echo import features
from reservoir.experiments.driver import Progress


class Display:
    """What a bar was told to show."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.resets: list[dict[str, Any]] = []

    def add_task(self, description: str, **fields: Any) -> int:
        self.fields = {"description": description, **fields}
        return 7

    def reset(self, task: int, **fields: Any) -> None:
        assert task == 7
        self.resets.append(fields)
        self.fields.update(fields)

    def update(self, task: int, **fields: Any) -> None:
        assert task == 7
        self.fields.update(fields)


def test_a_bar_counts_parts_and_how_far_the_others_are() -> None:
    display = Display()
    bar = Bar(display, "work", 4)
    assert display.fields["visible"]
    bar.step()
    bar.within("second", 1, 3, 4)
    bar.within("third", 2, 1, 2)
    assert (display.fields["completed"], display.fields["description"]) == (2.25, "work third")
    bar.step(1)
    assert display.fields["completed"] == 2.5
    bar.step(2)
    assert (display.fields["completed"], display.fields["total"]) == (3, 4)


def test_a_bar_of_one_part_shows_once_it_has_steps_to_count() -> None:
    display = Display()
    bar = Bar(display, "work", 1)
    assert not display.fields["visible"]
    bar.within("on", 0, 30, 200)
    assert {key: display.fields[key] for key in ("visible", "completed", "total")} == {
        "visible": True,
        "completed": 30,
        "total": 200,
    }
    bar.step()
    assert display.fields["total"] == 200


def test_parallel_parts_show_that_they_start_and_how_far_they_are() -> None:
    display = Display()
    report = Bar(display, "", 3).epochs({1: "second", 2: "third"})
    report(1, None)
    assert (display.fields["completed"], display.fields["description"]) == (0, "second")
    report(1, ({"epoch": 4, "loss": 0.5, "gradient_norm": 2.0, "steps_per_second": 1000.0}, 10))
    report(2, ({"epoch": 0, "loss": 0.5, "gradient_norm": 2.0, "steps_per_second": 1000.0}, 4))
    assert display.fields["completed"] == 0.75
    assert display.fields["description"] == "third: loss 0.5, gradient 2, 1,000 steps/s"


def test_a_bar_shows_the_steps_of_parts_one_after_the_other() -> None:
    display = Display()
    bar = Bar(display, "task", 2)
    report = bar.steps({5: "seed 5", 3: "seed 3"})
    report(250, 1000)
    bar.step(5)
    report(1500, 2000)
    assert (display.fields["completed"], display.fields["description"]) == (1.75, "task seed 3: 1,500 of 2,000 steps")


def test_a_run_of_one_seed_shows_the_steps_of_its_fit(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(Bar, "within", lambda self, text, *rest: shown.append(text))
    monkeypatch.setattr(features, "block_rows", lambda width: 100)
    assert command("run", *QUICK, "--seeds", "4").status == 0
    total = shown[0].rpartition(" of ")[2]
    assert shown[:2] == [f"seed 4: 100 of {total}", f"seed 4: 200 of {total}"]
    assert shown[int(total.removesuffix(" steps")) // 100 - 1].startswith(f"seed 4: {total.removesuffix(' steps')} of ")


@pytest.mark.parametrize(
    ("terminals", "as_json", "shown"),
    [
        (("stderr", "stdout"), False, True),
        (("stderr",), True, True),
        (("stderr", "stdout"), True, False),
        (("stdout",), False, False),
    ],
)
def test_a_bar_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminals: tuple[str, ...], as_json: bool, shown: bool
) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda name=name: name in terminals, raising=False)
    with progress("work", 3, as_json) as bar:
        assert (bar._display is not None) is shown
        bar.within("[not markup]", 0, 1, 2)
        bar.tell("[a notice]")
        bar.step()
    assert ("[a notice]" in capsys.readouterr().err) is shown


def test_a_bar_of_a_sweep_counts_the_runs_of_its_store_but_not_for_the_speed() -> None:
    display = Display()
    bar = Bar(display, "narma10", 0)
    assert not display.fields["visible"]
    state = Progress(total=10, kept=4)
    bar.sweep(state)
    assert display.resets == [{"total": 10, "completed": 4, "visible": True}]
    assert (display.fields["completed"], display.fields["description"]) == (4, "narma10")
    state.done, state.failed, state.kept = 2, 1, 5
    bar.sweep(state)
    assert (display.fields["completed"], display.fields["description"], len(display.resets)) == (8, "narma10: 1 failed", 1)
    assert bar.state is state


def test_a_bar_of_a_comparison_shows_what_is_left_and_what_is_under_way() -> None:
    display = Display()
    bar = Bar(display, "", 3)
    state = Progress(total=3)
    bar.sweep(state)
    report = bar.epochs({0: "first", 1: "second"})
    report(0, ({"epoch": 4, "loss": 0.5, "gradient_norm": 2.0, "steps_per_second": 1000.0}, 10))
    state.done, state.left = 1, 200.0
    report(1, None)
    bar.sweep(state, [0])
    assert (display.fields["completed"], display.fields["description"]) == (1, "about 3 min left; second")


def test_a_bar_of_a_comparison_of_one_run_counts_its_steps() -> None:
    display = Display()
    bar = Bar(display, "", 1)
    bar.sweep(Progress(total=1))
    bar.within("first", 0, 30, 200)
    bar.sweep(Progress(total=1))
    assert (display.fields["completed"], display.fields["total"], display.fields["description"]) == (30, 200, "first")


def test_ctrl_c_promises_nothing_that_is_not_kept() -> None:
    assert explanation(KeyboardInterrupt()) == ("Interrupted.", 130)
    assert interrupted("a.db", 0) == "Interrupted before any run was finished."
    assert interrupted("a.db", 1) == "Interrupted; a.db keeps the run that was finished. The same command continues from there."
    assert interrupted("a.db", 2000).startswith("Interrupted; a.db keeps the 2,000 runs that were finished.")
