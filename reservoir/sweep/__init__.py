"""Parameter sweeps: a space, a strategy that picks from it, a store of all runs, and the running of them anywhere.

    from reservoir.sweep import plan, run
    from tasks import get_task

    sweep = plan(get_task("narma10"), "esn", {"spectral_radius": "0.1:1.5:15", "leak_rate": "log:0.01:1:10"}, seeds=range(3))
    table = run(sweep, "sweep.db", jobs=2)

Names load when first used: reading a store needs no more than NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reservoir.sweep.planning import plan
    from reservoir.sweep.runner import run
    from reservoir.sweep.store import read_table

_HOMES = {"plan": "reservoir.sweep.planning", "run": "reservoir.sweep.runner", "read_table": "reservoir.sweep.store"}

__all__ = ["plan", "read_table", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reservoir.sweep' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
