"""How much memory there is for this process, and the refusal of work that needs more."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path

CGROUP_FILES = {"": "memory.max", "memory": "memory.limit_in_bytes"}
"""The file of a container's limit by the controller's name: of the second version of control groups, and of the first."""


def check_memory(what: str, needs: Callable[[int], Mapping[str, float]], size: int, unit: str) -> None:
    """Raise `MemoryError` where work of a size needs more memory than there is, with the estimate and the size that would fit.

    Parameters
    ----------
    what : the work, as "An ESN of 500 units"
    needs : the bytes that each part of the work takes, by its name; a function of the size, which never falls
    size : a number of what `unit` names in the plural, as "units"
    """
    limit, parts = memory_limit(), needs(size)
    if sum(parts.values()) <= limit:
        return
    fits, too_large = 0, size
    while too_large - fits > 1:
        middle = (fits + too_large) // 2
        if sum(needs(middle).values()) <= limit:
            fits = middle
        else:
            too_large = middle
    rounded = fits - fits % 10 ** max(len(str(fits)) - 2, 0)
    enough = f"enough for {rounded:,} {unit}" if rounded else f"too little for any number of {unit}"
    shown = ", ".join(f"{name} {_gigabytes(amount)}" for name, amount in parts.items() if amount >= 0.01 * limit)
    raise MemoryError(
        f"{what} needs at least {_gigabytes(sum(parts.values()))}: {shown}; {_gigabytes(limit)} are there, {enough}"
    )


def memory_limit() -> float:
    """Compute the bytes that this process may have: the least of the machine's, its container's and its address space's."""
    return min(_machine_memory(), container_memory(), _free_address_space())


def _gigabytes(amount: float) -> str:
    return f"{amount / 1e9:,.3g} GB" if amount < 1e12 else f"{amount / 1e9:,.0f} GB"


def _machine_memory() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        return math.inf


@functools.cache
def container_memory(membership: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup") -> float:
    """Find the least limit of the control groups that this process is in; infinity without one.

    `membership` is the file that lists the groups, a line for each hierarchy: number:controllers:path. A group is a folder
    under `root`, and under the name of its controller in the first version; its limit holds for the groups within it.
    """
    try:
        lines = Path(membership).read_text().splitlines()
    except OSError:
        return math.inf
    least = math.inf
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in CGROUP_FILES:
                groups = Path(path.strip("/"))
                for group in (groups, *groups.parents):
                    least = min(least, _read_limit(Path(root) / controller / group / CGROUP_FILES[controller]))
    return least


def _read_limit(path: Path) -> float:
    """The number in a file; infinity for "max", and where there is no such file."""
    try:
        text = path.read_text().strip()
    except OSError:
        return math.inf
    return float(text) if text.isdigit() else math.inf


def _free_address_space() -> float:
    """The bytes that may still be mapped, where the process has a limit (ulimit -v)."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return math.inf
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return math.inf
    return max(limit - pages * float(os.sysconf("SC_PAGE_SIZE")), 0.0)
