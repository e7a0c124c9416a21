"""Parameter sweeps: a space, a strategy that picks from it, a store of all runs, and the running of them anywhere.

    from reservoir.sweeps import plan, run
    from reservoir.tasks import get_task

    sweep = plan(get_task("narma10"), "esn", {"spectral_radius": "0.1:1.5:15", "leak_rate": "log:0.01:1:10"}, seeds=range(3))
    table = run(sweep, "sweep.db", jobs=2)

Names load when first used: reading a store needs no more than NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reservoir.sweeps.planning import plan
    from reservoir.sweeps.runner import run
    from reservoir.sweeps.store import read_table

_HOMES = {"plan": "reservoir.sweeps.planning", "run": "reservoir.sweeps.runner", "read_table": "reservoir.sweeps.store"}

__all__ = ["plan", "read_table", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reservoir.sweeps' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
