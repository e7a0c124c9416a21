"""Timing that the library and its peers share; it imports nothing but the standard library."""

from __future__ import annotations

import time
from collections.abc import Callable

Seconds = dict[str, float]
"""The least `wall` time and the least `cpu` time of a process's threads together."""
ROUNDS = (3, 100)
"""The fewest and the most rounds."""
LONG = 15.0
"""Seconds after which fewer rounds will do."""


def least(functions: dict[str, Callable[[], object]], budget: float = 2.0) -> dict[str, Seconds]:
    """Return the least times of functions that run by turns, after one round to warm up, for about `budget` seconds."""
    for function in functions.values():
        function()
    times: dict[str, Seconds] = {name: {"wall": float("inf"), "cpu": float("inf")} for name in functions}
    begun, rounds = time.perf_counter(), 0
    while rounds < ROUNDS[1]:
        spent = time.perf_counter() - begun
        if rounds and spent > (budget if rounds >= ROUNDS[0] else LONG):
            break
        rounds += 1
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            function()
            found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            times[name] = {key: min(times[name][key], found[key]) for key in found}
    return times
