"""The validation data that are given to a fit, as examples."""

from __future__ import annotations

from itertools import compress
from typing import Any

import numpy as np

from reservoir.base.targets import Target, Targets, check_washout, read_targets
from reservoir.gradient.batches import Examples, windows
from reservoir.gradient.closed_loop import joined
from reservoir.gradient.network import Network
from reservoir.gradient.training import Training
from reservoir.validation import DataError, ParameterError, as_sequences, is_many


def validation_examples(
    estimator: Any, network: Network, n_features: int, first: np.ndarray, trained: Targets, inputs: Any, targets: Any
) -> Examples | None:
    """Return the validation data, in windows where the training has any; None if no sequence can be used.

    n_features : the number of features of the training inputs
    first (O,) : the output that is fed back at the first step, with feedback

    Sequences with a label or a symbol that the training data do not have are left out. Raises `ParameterError` where training
    data are held out, too, and `DataError` for data that do not fit the training data.
    """
    training: Training = estimator.training
    fraction = training.validation_fraction
    if fraction > 0.0:
        raise ParameterError(
            f"The 'validation_fraction' parameter of Training must be 0 where fit gets validation data. Got {fraction} instead."
        )
    sequences = as_sequences(inputs, "validation inputs")
    if (width := sequences[0].shape[1]) != n_features:
        raise DataError(f"validation inputs: have {width} features, the training inputs {n_features}; they must agree.")
    if is_many(inputs):
        known = np.ones(len(sequences), bool)
        if network.symbols is not None:
            known &= [u.max() < network.symbols.count for u in sequences]
        if trained.classes is not None:
            known &= [np.isin(y, trained.classes).all() for y in targets]
        if not known.any():
            return None
        sequences, targets = list(compress(sequences, known)), list(compress(targets, known))
    lengths = [len(u) for u in sequences]
    target: Target = "step" if trained.per_step else "sequence"
    read = read_targets(targets, lengths, is_many(inputs), trained.classes, estimator._classifies, target)
    if read.n_outputs != trained.n_outputs:
        wanted = f"have {read.n_outputs} outputs, the training targets {trained.n_outputs}"
        raise DataError(f"validation targets: {wanted}; they must agree.")
    if read.per_step or estimator.pooling != "last":
        check_washout(lengths, estimator.washout)
    if estimator.feedback:
        sequences = joined(sequences, read.values, first)
    return windows(Examples(sequences, read.values, estimator.washout, read.per_step), training.window)
