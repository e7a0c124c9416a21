"""Parameter sweeps: a space, a strategy that picks from it, a store of all runs, and the running of them anywhere.

    from reservoir.sweeps import plan_sweep, run_sweep
    from reservoir.tasks import get_task

    vary = {"spectral_radius": "0.1:1.5:15", "leak_rate": "log:0.01:1:10"}
    report = run_sweep(plan_sweep(get_task("narma10"), "esn", vary, seeds=range(3)), "sweep.db", jobs=2)
    best = report.ranking(1)

Names load when first used: reading a store needs no more than NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reservoir.sweeps.plan import plan_sweep
    from reservoir.sweeps.report import read_sweep
    from reservoir.sweeps.runner import run_sweep

_HOMES = {
    "plan_sweep": "reservoir.sweeps.plan",
    "read_sweep": "reservoir.sweeps.report",
    "run_sweep": "reservoir.sweeps.runner",
}

__all__ = ["plan_sweep", "read_sweep", "run_sweep"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reservoir.sweeps' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
