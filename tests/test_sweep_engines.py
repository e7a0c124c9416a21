"""Who runs the trials of a sweep: threads, processes, executors."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from messages import mentions
from sweep_runs import _nothing_prepared, sweep_of  # noqa: F401
from sweep_toys import Toy, lasting
from threadpoolctl import threadpool_info, threadpool_limits

from reservoir.experiments import work
from reservoir.experiments.engines import Here, engine
from reservoir.experiments.work import Chunk, run_chunk
from reservoir.sweeps.runner import run_sweep
from reservoir.validation import ParameterError

# threads


def test_threads_give_the_same_bits_and_leave_the_process_as_it_was(tmp_path: Path) -> None:
    task = Toy(acts=((0.2, "warn"), (0.4, "raise"), (0.6, "warn")))
    sweep = sweep_of(task, ridges=(1e-6, 1e-4, 1e-2), seeds=range(6))
    filters, show = warnings.filters[:], warnings.showwarning
    with threadpool_limits(2):
        with ThreadPoolExecutor(4) as executor:
            run_sweep(sweep, tmp_path / "a.db", executor=executor, jobs=4)
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {2}
    assert warnings.filters == filters and warnings.showwarning is show
    run_sweep(sweep, tmp_path / "b.db", jobs=1)
    assert lasting(tmp_path / "a.db") == lasting(tmp_path / "b.db")


def test_blas_has_one_thread_while_runs_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []
    monkeypatch.setattr(
        work, "_row", lambda *_: seen.append({i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"})
    )
    run_one = work.TrialRun(b"k" * 16, 1, {}, 0)
    with threadpool_limits(2):
        run_chunk(Chunk("a", Toy(), "esn", "test", 0, [run_one, run_one], None, 60.0))
    assert seen == [{1}, {1}]


def test_a_sweep_in_a_thread(tmp_path: Path) -> None:
    """Where Ctrl-C never comes to."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run_sweep(sweep_of(), tmp_path / "a.db", jobs=1)))
    thread.start()
    thread.join()
    assert set(found[0].runs.status) == {"done"}


# engines


@pytest.mark.parametrize("jobs", [0, -1, True, 1.0, "2"])
def test_jobs_that_are_no_number_of_processes(jobs: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=mentions(f"'jobs' sweep [1, inf) None {jobs!r}")):
        run_sweep(sweep_of(), tmp_path / "a.db", jobs=jobs)
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_and_jobs_do_not_go_together(tmp_path: Path) -> None:
    for other in ({"jobs": 2}, {"executor": Here()}):
        with pytest.raises(ParameterError, match=mentions("scheduler either")):
            run_sweep(sweep_of(), tmp_path / "a.db", scheduler="tcp://localhost:1", **other)  # type: ignore[arg-type]


def test_one_job_is_this_process() -> None:
    with engine(1) as made:
        assert isinstance(made.executor, Here) and made.slots() == 1
        assert made.executor.submit(divmod, 7, 2).result() == (3, 1)
        assert isinstance(made.executor.submit(divmod, 7, 0).exception(), ZeroDivisionError)
