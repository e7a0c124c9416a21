"""What a `random_state` may be, and that it is one integer underneath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from messages import mentions

from reservoir import ParameterError
from reservoir.base.estimator import seed_sequence


def words(random_state: Any) -> list[int]:
    return seed_sequence(random_state).generate_state(4).tolist()


@pytest.mark.parametrize("seed", [0, 1, 2**63, 10**40, np.int64(3), np.uint8(3)])
def test_seeds_that_are_numbers(seed: int) -> None:
    assert words(seed) == words(int(seed)) == words(np.random.SeedSequence(int(seed)))
    assert words(seed) != words(int(seed) + 1)


def test_no_seed_is_a_fresh_one() -> None:
    assert words(None) != words(None)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_generators_are_advanced(make: Callable[[int], Any]) -> None:
    generator = make(5)
    first, second = words(generator), words(generator)
    assert first == words(make(5)) and first != second and first != words(make(6))


@pytest.mark.parametrize("entropy", [7, [1, 2, 3], np.array([1, 2], np.uint32)])
def test_seed_sequences_are_left_alone(entropy: Any) -> None:
    given = np.random.SeedSequence(entropy, spawn_key=(3,))
    first, child = words(given), words(seed_sequence(given).spawn(1)[0])
    given.spawn(2)
    assert words(given) == first and words(seed_sequence(given).spawn(1)[0]) == child
    assert given.n_children_spawned == 2
    assert first != words(np.random.SeedSequence(entropy)) and first != words(np.random.SeedSequence(8, spawn_key=(3,)))


@pytest.mark.parametrize("seed", [5, None, np.random.default_rng(1), np.random.RandomState(1), np.random.SeedSequence([1, 2])])
def test_entropy_is_one_integer(seed: Any) -> None:
    """Which a model file can hold, and a cache look up."""
    sequence = seed_sequence(seed)
    assert isinstance(sequence.entropy, int) and sequence.n_children_spawned == 0


@pytest.mark.parametrize("seed", [-1, 1.0, "1", [1], np.float64(2.0), np.random, object()])
def test_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(ParameterError, match=mentions("'random_state' [0, inf) NumPy")):
        seed_sequence(seed)
