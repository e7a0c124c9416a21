"""The machine that a run of benchmarks/speed.py is measured on, in general words."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import Any

from reservoir.kernels.emitters import VECTOR_BYTES


def machine() -> dict[str, Any]:
    """Return the cores, the width of vectors in bits, and the versions that matter."""
    packages = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "numba")}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    words = {"system": platform.system(), "architecture": platform.machine(), "cores": cores, "vector_bits": 8 * VECTOR_BYTES}
    return words | {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "packages": packages}
