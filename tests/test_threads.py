"""Splitting work over threads, and how many there are."""

from __future__ import annotations

import threading

import pytest

from reservoir.threads import split_work, thread_count
from reservoir.validation import ParameterError


@pytest.mark.parametrize("items", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_work_is_split_without_gap_or_overlap(threads: str, items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", threads)
    done, lock = [], threading.Lock()

    def work(first: int, last: int) -> None:
        with lock:
            done.extend(range(first, last))

    split_work(work, items)
    assert sorted(done) == list(range(items))


def test_errors_in_threads_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", "2")

    def work(first: int, last: int) -> None:
        if first > 0:
            raise ArithmeticError("the second half")

    with pytest.raises(ArithmeticError, match="the second half"):
        split_work(work, 4)


def test_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.delenv("RESERVOIR_NUM_THREADS")
    assert thread_count() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_number_of_threads_must_be_a_positive_integer(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", text)
    with pytest.raises(ParameterError, match=rf"RESERVOIR_NUM_THREADS must be an integer in \[1, inf\). Got '{text}'"):
        thread_count()
