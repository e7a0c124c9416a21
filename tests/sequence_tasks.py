"""Small tasks of sequences, and comparisons of their data."""

import numpy as np

from reservoir.tasks import get_task

SIZED = {"train_sequences": 40, "validation_sequences": 9, "test_sequences": 23}


def small(name, **options):
    return get_task(name, **{**SIZED, **options})


def spelled(sequence, symbols):
    """A one-hot sequence as text; anything that is not one-hot fails."""
    assert set(np.unique(sequence)) <= {0.0, 1.0} and (sequence.sum(axis=1) == 1.0).all()
    return "".join(symbols[int(np.flatnonzero(row)[0])] for row in sequence)
