"""Parameter sweeps: a space, a strategy that picks from it, a store of all runs, and the running of them anywhere.

from reservoir.sweep import plan, run
from tasks import get_task

sweep = plan(get_task("narma10"), "esn", {"spectral_radius": "0.1:1.5:15", "leak_rate": "log:0.01:1:10"}, seeds=range(3))
table = run(sweep, "sweep.db", jobs=2)
"""

from reservoir.sweep.plan import plan
from reservoir.sweep.runner import run
from reservoir.sweep.store import read_table

__all__ = ["plan", "read_table", "run"]
