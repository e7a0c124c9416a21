"""What an echo state network needs to learn on from a file: the sums behind its readout, and the end of its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reservoir.echo.esn import ESN
from reservoir.echo.readouts.least_squares import Block, Gram, Triangle
from reservoir.echo.readouts.online import OnlineReadout
from reservoir.echo.readouts.ridge import Ridge

LEARNERS = "Ridge and RidgeClassifier with one ridge, RecursiveLeastSquares, LeastMeanSquares"


def can_learn_on(model: Any) -> bool:
    """Whether a file can hold what a model needs to learn on: an ESN with one of the `LEARNERS`."""
    if not isinstance(model, ESN) or model.end_ is None:
        return False
    readout = model.readout_
    return isinstance(readout, OnlineReadout) or (isinstance(readout, Ridge) and np.size(readout.ridge) == 1)


def learning_to_plain(esn: ESN) -> dict[str, Any]:
    """The sums of the readout and the end of the data of the last fit, as plain data and arrays."""
    assert esn.end_ is not None
    state, output = esn.end_
    plain: dict[str, Any] = {"state": state, "output": output, "sums": None}
    if isinstance(esn.readout_, Ridge):
        sums = esn.readout_.sums_
        if isinstance(sums, tuple):  # rows, fewer than features
            plain["sums"] = {"kind": "rows", "values": list(sums)}
        else:
            plain["sums"] = {"kind": type(sums).__name__, **vars(sums)}
    return plain


def learn_on(esn: ESN, plain: Mapping[str, Any], inputs: np.ndarray, targets: np.ndarray) -> None:
    """Learn from inputs (T, I) and targets (T, O) that follow those of the last fit, in constant memory.

    plain : what `learning_to_plain` gave; the network may have been read from a file since
    """
    if plain["sums"] is not None:
        esn.readout_.sums_ = _sums(**plain["sums"])
    esn.end_ = plain["state"], plain["output"]
    esn.partial_fit(inputs, targets, continued=True)


def _sums(kind: str, **values: Any) -> Gram | Triangle | Block:
    """The sums of a readout, or the rows that were too few to sum up, of which a copy is used."""
    if kind == "rows":
        features, targets = values["values"]
        return features, targets
    made: Any = {"Gram": Gram, "Triangle": Triangle}[kind]
    sums: Gram | Triangle = made.__new__(made)
    vars(sums).update({name: np.array(v, order="F") if isinstance(v, np.ndarray) else v for name, v in values.items()})
    return sums
