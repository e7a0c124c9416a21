"""Losses of weighted rows: their values, and their gradients with respect to the outputs.

A loss takes outputs and targets (N, O) and weights (N,). It returns the loss, summed in float64, and its gradient (N, O) in the
type of the outputs. Rows of weight 0 (padding, washout) do not count, whatever they hold. The weights make a sum a mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reservoir.kernels import losses as kernels
from reservoir.kernels.symbols import softmax_cross_entropy
from reservoir.validation import Choice, DataError

Loss = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def squared_error(outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum over rows n of w_n times the sum over outputs of (y - d)^2.

    >>> squared_error(np.array([[3.0, 1.0], [9.0, 9.0]]), np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([0.5, 0.0]))
    (2.0, array([[2., 0.],
           [0., 0.]]))
    """
    outputs, targets, weights = (np.ascontiguousarray(part, outputs.dtype) for part in (outputs, targets, weights))
    gradient = np.empty_like(outputs)
    return kernels.squared_error(outputs, targets, weights, gradient), gradient


def cross_entropy(outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum over rows n of w_n times the sum over outputs of -d log softmax(y), in nats; y are logits of any size.

    targets : one-hot rows, or distributions

    >>> loss, gradient = cross_entropy(np.array([[1000.0, 1000.0]]), np.array([[1.0, 0.0]]), np.array([1.0]))
    >>> round(loss, 6), gradient  # log 2
    (0.693147, array([[-0.5,  0.5]]))
    """
    outputs, targets, weights = (np.ascontiguousarray(part, outputs.dtype) for part in (outputs, targets, weights))
    gradient, largest = np.empty_like(outputs), np.empty_like(weights)
    kernels.below_largest(outputs, largest, gradient)
    np.exp(gradient, out=gradient)
    return kernels.cross_entropy(outputs, targets, weights, largest, gradient), gradient


def symbol_cross_entropy(outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The sum over rows n of -w_n log softmax(y)_s, in nats, for targets (N, 1) that are the numbers s of symbols.

    The gradient takes the memory of the outputs: of a large vocabulary they are too many to have twice.

    Raises `DataError` when shapes do not agree.

    >>> loss, gradient = symbol_cross_entropy(np.array([[0.0, 0.0]]), np.array([[1.0]]), np.array([1.0]))
    >>> round(loss, 6), gradient  # log 2
    (0.693147, array([[ 0.5, -0.5]]))
    """
    if outputs.ndim != 2 or outputs.shape[1] == 0 or targets.shape != (len(outputs), 1) or weights.shape != outputs.shape[:1]:
        raise DataError(
            f"outputs have shape {outputs.shape}, targets {targets.shape}, weights {weights.shape};"
            " they must be (N, O), (N, 1) and (N,)."
        )
    symbols = np.ascontiguousarray(targets[:, 0], np.int64)
    return softmax_cross_entropy(outputs, symbols, np.ascontiguousarray(weights, outputs.dtype)), outputs


LOSSES: dict[str, Loss] = {
    "squared_error": squared_error, "cross_entropy": cross_entropy, "symbol_cross_entropy": symbol_cross_entropy,
}  # fmt: skip
REDUCTIONS = Choice(("mean", "sum"))


def loss_weights(
    lengths: np.ndarray, *, per_step: bool = True, washout: int = 0, reduction: str = "mean", n_outputs: int = 1
) -> np.ndarray:
    """Return the weight of each row of a batch of B sequences: (T, B) for the longest T, or (B,) for one target per sequence.

    Parameters
    ----------
    lengths : steps of each sequence, (B,)
    per_step : whether there is a target at every step; then padding and the first `washout` steps weigh 0
    reduction : "mean": the loss is the mean over all rows that count, and over outputs; "sum": the sum over steps and
        outputs, and the mean over sequences
    n_outputs : the outputs that "mean" is over: O with `squared_error`, and 1 with `cross_entropy`, a single number per row

    Raises `DataError` where no step is left after the washout.

    >>> loss_weights(np.array([3, 2]), washout=1)
    array([[0.        , 0.        ],
           [0.33333333, 0.33333333],
           [0.33333333, 0.        ]])
    """
    steps = np.arange(max(lengths, default=0))[:, None]
    counted = (steps >= washout) & (steps < lengths) if per_step else np.ones(len(lengths), bool)
    if not counted.any():
        raise DataError(f"inputs: the longest sequence has {len(steps)} steps, washout={washout} leaves none to score.")
    return counted / float(len(lengths) if reduction == "sum" else counted.sum() * n_outputs)
