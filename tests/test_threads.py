"""Splitting work over threads, how many there are, and what threads share."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import scipy.linalg
from messages import mentions
from threadpoolctl import threadpool_info, threadpool_limits

from reservoir.base.threads import one_blas_thread, split_work, thread_count, warnings_as_texts
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

    with pytest.raises(ArithmeticError, match=mentions("second half")):
        split_work(work, 4)


def test_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.delenv("RESERVOIR_NUM_THREADS")
    assert thread_count() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_number_of_threads_must_be_a_positive_integer(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESERVOIR_NUM_THREADS", text)
    with pytest.raises(ParameterError, match=mentions(f"RESERVOIR_NUM_THREADS [1, inf) '{text}'")):
        thread_count()


class Within:
    """A thread that is within a block until it is told to go."""

    def __init__(self, block: Callable[[], AbstractContextManager[object]], act: Callable[[], None] = lambda: None) -> None:
        self._entered, self._leave = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(block, act))
        self.thread.start()
        self._entered.wait()

    def _run(self, block: Callable[[], AbstractContextManager[object]], act: Callable[[], None]) -> None:
        try:
            with block() as self.found:
                act()
                self._entered.set()
                self._leave.wait()
        finally:
            self._entered.set()

    def leave(self) -> None:
        self._leave.set()
        self.thread.join()


def blas_threads() -> set[int]:
    assert scipy.linalg.blas  # whose BLAS is loaded by now
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_blas_has_its_threads_back_when_the_last_of_overlapping_blocks_ends() -> None:
    with threadpool_limits(3, user_api="blas"):
        one = Within(one_blas_thread)
        two = Within(one_blas_thread)
        assert blas_threads() == {1}
        one.leave()  # the first to come is the first to go
        assert blas_threads() == {1}
        with one_blas_thread():
            two.leave()
            assert blas_threads() == {1}
        assert blas_threads() == {3}
        with pytest.raises(KeyError), one_blas_thread():
            raise KeyError
        assert blas_threads() == {3}


def test_warnings_go_to_the_block_of_their_thread() -> None:
    filters = warnings.filters[:]
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        show, before = warnings.showwarning, warnings.filters[:]
        one = Within(warnings_as_texts, lambda: warnings.warn("of one", stacklevel=1))
        two = Within(warnings_as_texts, lambda: [warnings.warn("of two", stacklevel=1) for _ in range(2)] and None)
        warnings.warn("of none", stacklevel=1)
        one.leave()
        with warnings_as_texts() as mine:
            warnings.warn("mine", stacklevel=1)
            with warnings_as_texts() as inner:
                warnings.warn("inner", stacklevel=1)
            warnings.warn("mine again", stacklevel=1)
            two.leave()
        assert (one.found, two.found, mine, inner) == (["of one"], ["of two"], ["mine", "mine again"], ["inner"])
        assert warnings.showwarning is show and warnings.filters == before
        warnings.warn("after", stacklevel=1)
    assert [str(warning.message) for warning in shown] == ["of none", "after"]
    assert warnings.filters == filters


def test_warnings_are_texts_also_where_they_are_errors_or_ignored() -> None:
    for action in ("error", "ignore", "once"):
        with warnings.catch_warnings():
            warnings.simplefilter(action)  # type: ignore[arg-type]
            with warnings_as_texts() as texts:
                for number in (1, 2, 1):
                    warnings.warn(f"number {number}", stacklevel=1)
            assert texts == ["number 1", "number 2"]
