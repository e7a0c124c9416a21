"""The parameters that describe a reservoir, as one value between the estimator and what draws the weights."""

from __future__ import annotations

import hashlib
import numbers
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True, eq=False)
class ReservoirParameters:
    """The parameters of an `ESN` that describe its reservoir; two are equal, and hash alike, where all values are equal."""

    units: int
    spectral_radius: float | None
    density: float
    leak_rate: Any
    input_scaling: Any
    bias_scaling: Any
    feedback_scaling: Any
    topology: Any
    topology_options: Mapping[str, Any] | None
    activation: str
    input_weights: Any
    input_density: float
    initial_state: Any
    dtype: str

    @classmethod
    def of(cls, estimator: Any) -> ReservoirParameters:
        """Those of an estimator."""
        return cls(**{field.name: getattr(estimator, field.name) for field in fields(cls)})

    def __post_init__(self) -> None:
        content = tuple(hashable(getattr(self, field.name)) for field in fields(self))
        object.__setattr__(self, "_content", content)  # now: a matrix may be changed in place later

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReservoirParameters) and vars(self)["_content"] == vars(other)["_content"]

    def __hash__(self) -> int:
        return hash(vars(self)["_content"])


def hashable(value: Any) -> Hashable:
    """A stand-in for the value of a parameter, equal where values are: own matrices by a digest of their numbers."""
    if sp.issparse(value):
        matrix = sp.csr_array(value)
        return ("sparse", matrix.shape, *map(hashable, (matrix.data, matrix.indices, matrix.indptr)))
    if isinstance(value, np.ndarray) and value.dtype != object:
        return "array", value.shape, value.dtype.str, hashlib.sha256(value.tobytes()).digest()
    if isinstance(value, Mapping):
        return tuple(sorted((name, hashable(part)) for name, part in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(map(hashable, value))
    return value if value is None or isinstance(value, (str, numbers.Number)) else object()  # equal to nothing else
