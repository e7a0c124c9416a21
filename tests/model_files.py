"""Small networks that go through a file."""

from __future__ import annotations

import numbers
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from reservoir import (
    ESN,
    load,
)

RNG = np.random.default_rng(0)
T = np.arange(160)
INPUTS = np.stack([np.sin(0.3 * T), np.cos(0.21 * T)], axis=1) + 0.05 * RNG.normal(size=(160, 2))


def through_file(esn: ESN, folder: Path) -> ESN:
    esn.save(folder / "model.safetensors")
    return load(folder / "model.safetensors")


class Readable:
    """What NumPy can read as an array, as a table of pandas is."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype)


def assert_same(comp: Any, ref: Any) -> None:
    """Parameters: a tuple comes back as a list, another sparse format as CSR, and a source of seeds not at all."""
    if sp.issparse(ref):
        assert comp.format == "csr" and (comp != ref).nnz == 0
    elif isinstance(ref, (np.random.Generator, np.random.RandomState, np.random.SeedSequence)):
        assert comp is None
    elif isinstance(ref, (np.ndarray, Readable)):
        assert type(comp) is np.ndarray
        np.testing.assert_array_equal(comp, np.asarray(ref, dtype=comp.dtype))
    elif isinstance(ref, (list, tuple)):
        np.testing.assert_array_equal(comp, ref)
    elif isinstance(ref, numbers.Real) and not isinstance(ref, (int, np.integer)):
        assert type(comp) is float and comp == ref
    else:
        assert repr(comp) == repr(ref.item() if isinstance(ref, np.generic) else ref)
