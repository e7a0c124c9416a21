"""Kernels that draw symbols and read them: draws against loops and frequencies, networks against a symbol at a time."""

from __future__ import annotations

import itertools

import naive_language
import numpy as np
import pytest

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.network import Network
from reservoir.gradient.symbols import Symbols
from reservoir.kernels.writing import draw_symbol
from reservoir.language.readers import NetworkReader
from reservoir.text.reader import Reader


def draw(scores: np.ndarray, temperature: float, top: int, generator: np.random.Generator) -> int:
    return draw_symbol(scores, np.array([0, 1]), temperature, top, generator.random())


def test_symbols_are_drawn_as_often_as_they_are_likely() -> None:
    scores, generator = np.log([0.2, 0.1, 0.3, 0.3, 0.1]), np.random.default_rng(0)
    counts = np.bincount([draw(scores, 1.0, 0, generator) for _ in range(4000)], minlength=5)
    np.testing.assert_allclose(counts / 4000, [0, 0, 3 / 7, 3 / 7, 1 / 7], atol=0.02)
    squares = np.bincount([draw(scores, 0.5, 0, generator) for _ in range(4000)], minlength=5)
    np.testing.assert_allclose(squares / 4000, [0, 0, 9 / 19, 9 / 19, 1 / 19], atol=0.02)


def test_only_the_likeliest_are_drawn() -> None:
    scores, generator = np.array([9.0, 9.0, 1.0, 3.0, 2.0], np.float32), np.random.default_rng(0)
    assert {draw(scores, 1.0, 2, generator) for _ in range(200)} == {3, 4}
    assert {draw(scores, 1.0, 1, generator) for _ in range(50)} == {3}
    assert {draw(scores, 5.0, 5, generator) for _ in range(300)} == {2, 3, 4}
    assert {draw(scores, 1e-4, 0, generator) for _ in range(50)} == {3}
    assert scores.tolist() == [9.0, 9.0, 1.0, 3.0, 2.0]


@pytest.mark.parametrize(("size", "top"), [(3, 0), (3, 1), (7, 3), (33, 0), (33, 10), (33, 33)])
def test_draws_against_the_twin(size: int, top: int) -> None:
    generator = np.random.default_rng(size)
    for temperature, kind in itertools.product((0.3, 1.0, 2.5), (np.float64, np.float32)):
        scores, uniforms = generator.normal(0.0, 2.0, size).astype(kind), generator.random(30)
        ref = [naive_language.draw(scores.tolist(), [0, 1], temperature, top, uniform) for uniform in uniforms]
        assert [draw_symbol(scores, np.array([0, 1]), temperature, top, uniform) for uniform in uniforms] == ref


def test_a_low_temperature_overflows_nothing() -> None:
    assert draw(np.array([0.0, 0.0, 700.0, -700.0]), 1e-3, 0, np.random.default_rng(0)) == 2


# Networks


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("cells", "size"),
    [((ElmanCell(3),), None), ((ElmanCell(4), ElmanCell(3)), 2), ((ClockworkCell(4, (1, 2, 3)),), None)],
    ids=["one-hot", "learned, two layers", "clockwork"],
)
def test_what_is_written_is_what_is_read_a_symbol_at_a_time(cells: tuple[Cell, ...], size: int | None, dtype: str) -> None:
    network, generator = Network(cells, 1, 6, symbols=Symbols(6, size)), np.random.default_rng(0)
    vector, uniforms, found = generator.normal(size=network.n_weights).astype(dtype), generator.random(12), []
    for write in (NetworkReader.write, Reader.write):
        reader = NetworkReader(network, vector, 1)
        reader.read(np.array([5]))
        parts = [write(reader, part, 0.8, 3, np.array([0])) for part in (uniforms[:5], uniforms[5:])]
        found.append((np.concatenate(parts), reader.scores.copy()))
        assert reader.steps == 13
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-4 if dtype == "float32" else 1e-12)
    assert len(set(found[0][0])) > 1 and 0 not in found[0][0]
