"""Compiled kernels of the tests are kept apart by the sources they come from.

Numba notices a change in the file of a kernel, but not in the files of the kernels that it calls.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

collect_ignore = ["fixtures"]  # the scripts that made the files there need what tests do not

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("reservoir/kernels/*.py"), *ROOT.glob("reservoir/gradient/cells/*.py")])

if "NUMBA_CACHE_DIR" not in os.environ:  # before Numba is imported
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in SOURCES)).hexdigest()[:16]
    os.environ["NUMBA_CACHE_DIR"] = str(ROOT / ".numba_cache" / digest)

from commands import command, refused  # noqa: E402, F401 - fixtures of all tests
