"""The library's side of training steps: of cells, of the Clockwork RNN and of language models."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from speed_cases import Case
from speed_floors import Rates
from speed_timing import Seconds, least

from reservoir import Training
from reservoir.base.threads import one_blas_thread
from reservoir.gradient.batches import Examples, assemble
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.learners import Learner
from reservoir.gradient.network import Network
from reservoir.gradient.symbols import Symbols
from reservoir.language.batches import examples

CELLS: dict[str, Callable[[int], Cell]] = {"LSTM": LSTMCell, "GRU": GRUCell, "Elman": ElmanCell}
GATES = {"LSTM": 4, "GRU": 3, "Elman": 1}
CLOCKWORK = (252, 32, 100)
"""Units, sequences, steps."""


def measured(case: Case) -> dict[str, Seconds]:
    """Return the seconds of a whole training step."""
    os.environ["RESERVOIR_NUM_THREADS"] = str(case["threads"])
    with ThreadPoolExecutor(case["threads"]) as pool, one_blas_thread():
        step = language(case, pool) if case["symbols"] else regression(CELLS[case["cell"]](case["units"]), case["shape"], pool)
        return least({"ours": step}, case["budget"])


def regression(cell: Cell, shape: Any, pool: ThreadPoolExecutor) -> Callable[[], object]:
    """A layer, a linear head at every step, squared error, its gradient, Adam."""
    _, batch, steps, n_inputs = shape
    generator = np.random.default_rng(0)
    network = Network((cell,), n_inputs, 1)
    vector = generator.normal(0.0, 0.1, network.n_weights).astype(np.float32)
    sequences, targets = (
        [generator.normal(size=(steps, width)).astype(np.float32) for _ in range(batch)] for width in (n_inputs, 1)
    )
    learner = Learner(network, vector, Training(learning_rate=1e-6, clip_norm=None), "squared_error", pool)
    chunks = assemble(Examples(sequences, targets, 0, True), np.arange(batch), "squared_error", "mean")
    return lambda: learner.batch(chunks, 0, 1e-6, None, None)  # neither gradient noise nor dropout


def language(case: Case, pool: ThreadPoolExecutor) -> Callable[[], object]:
    """Symbols, a layer, a softmax over all symbols at every step, its gradient with the norm limited, Adam."""
    units, batch, steps, width = case["shape"]
    generator = np.random.default_rng(0)
    symbols = Symbols(case["symbols"], width if case["learned"] else None)
    network = Network((CELLS[case["cell"]](units),), 1, case["symbols"], symbols=symbols)
    vector = generator.normal(0.0, 0.05, network.n_weights).astype(np.float32)
    streams = [generator.integers(0, case["symbols"], steps + 1) for _ in range(batch)]
    learner = Learner(network, vector, Training(learning_rate=1e-6, clip_norm=1.0), "symbol_cross_entropy", pool)
    chunks = assemble(examples(streams, np.float32), np.arange(batch), "symbol_cross_entropy", "mean")
    return lambda: learner.batch(chunks, 0, 1e-6, None, None)


def floor(case: Case, rates: Rates, _: dict[str, Seconds]) -> tuple[float, str]:
    """Return the seconds of the products alone: one forward, two backward, in float32."""
    units, batch, steps, n_inputs = case["shape"]
    read = n_inputs if not case["symbols"] or case["learned"] else 0
    weights = GATES[case["cell"]] * units * (units + read) + units * max(case["symbols"], 1)
    return 3 * 2 * batch * steps * weights / rates["fma32"], "products: multiply-adds"


def clockwork(rates_of: dict[int, Rates]) -> list[dict[str, Any]]:
    """Rows of a Clockwork RNN of 9 modules beside an Elman network of the same width, by turns."""
    rows = []
    units, batch, steps = CLOCKWORK
    for threads in rates_of:
        os.environ["RESERVOIR_NUM_THREADS"] = str(threads)
        for n_inputs in (1, 16, 64):
            shape = (units, batch, steps, n_inputs)
            with ThreadPoolExecutor(threads) as pool, one_blas_thread():
                cells = {"ours": ClockworkCell(units), "our Elman network": ElmanCell(units)}
                seconds = least({name: regression(cell, shape, pool) for name, cell in cells.items()}, 4.0)
            modules = len(ClockworkCell(units).periods)
            width = units // modules
            active = width * width * (2 * modules - 2 + 2.0 ** (1 - modules))
            inputs = units * n_inputs * 2 * (1 - 2.0**-modules) / modules
            rows.append(
                {
                    "group": "clockwork", "name": f"{n_inputs} inputs", "threads": threads, "per": 1, "unit": "ms", "scale": 1e3,
                    "floor": 3 * 2 * batch * steps * (active + inputs + units) / rates_of[threads]["fma32"],
                    "bound": "products: multiply-adds", "seconds": seconds,
                }
            )  # fmt: skip
    return rows
