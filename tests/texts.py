"""A text for tests, and models of it that take a moment to train."""

from __future__ import annotations

from pathlib import Path

RHYME = (
    "Jack and Jill went up the hill\nTo fetch a pail of water.\n\n"
    "Jack fell down and broke his crown,\nAnd Jill came tumbling after.\n"
)
QUICK_TEXT = (
    "text", "--data", "rhyme.txt", "--model", "gru", "--set", "units=16", "--set", "training.epochs=3", "--set",
    "training.batch_size=4", "--task-set", "validation=0.1", "--task-set", "test=0.1",
)  # fmt: skip


def rhyme_file(name: str = "rhyme.txt", times: int = 12) -> str:
    Path(name).write_text(RHYME * times, encoding="utf-8")
    return name
