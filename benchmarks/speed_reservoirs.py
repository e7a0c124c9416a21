"""The library's side of the reservoirs' cases, what NumPy alone does, and the floors."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from scipy.linalg import blas
from speed_cases import Case
from speed_floors import Rates
from speed_timing import Seconds, least
from threadpoolctl import threadpool_limits

from reservoir import ESN, Ridge, RidgeClassifier

Work = dict[str, Callable[[], object]]
NUMPY, SYRK = "NumPy batch", "dsyrk"


def measured(case: Case) -> dict[str, Seconds]:
    """Return the seconds of the library ("ours") and, by turns with it, of NumPy alone or of the product below a fit."""
    os.environ["RESERVOIR_NUM_THREADS"] = str(case["threads"])
    with threadpool_limits(case["threads"], "blas"):
        return least(work_of(case), case["budget"])


def work_of(case: Case) -> Work:
    """Return the functions to time."""
    data = np.load(case["data"])
    inputs = data["inputs"]
    esn = ESN(
        units=case["units"], density=case["density"], spectral_radius=0.9, leak_rate=case["leak"], topology=case["topology"],
        readout=Ridge(case["ridge"], "cholesky"), readout_from=("bias", "state"), random_state=0,
    )  # fmt: skip
    if case["kind"] == "digits":
        esn.set_params(readout=RidgeClassifier(case["ridge"]), pooling="mean", washout=0)
        train = len(inputs) - case["test"]
        labels = data["labels"]
        return {"ours": lambda: esn.fit(inputs[:train], labels[:train]).score(inputs[train:], labels[train:])}
    if case["kind"] in ("drive", "many"):
        esn.build(1)
        work: Work = {"ours": lambda: esn.states(inputs)}
        return work | ({NUMPY: numpy_batch(esn, inputs)} if case["kind"] == "many" else {})
    esn.fit(inputs, data["targets"])
    if case["kind"] == "closed":
        return {"ours": lambda: esn.forecast(inputs[:10], case["steps"])}
    states, targets = np.ascontiguousarray(esn.states(inputs)), data["targets"]
    return {
        "ours": lambda: esn.fit(inputs, targets),
        "drive": lambda: esn.states(inputs),
        SYRK: lambda: blas.dsyrk(1.0, states.T),
    }


def numpy_batch(esn: ESN, inputs: np.ndarray) -> Callable[[], object]:
    """Return the loop over steps that drives all sequences by one dense product per step."""
    weights = esn.recurrent_weights_
    transposed = np.ascontiguousarray((weights if isinstance(weights, np.ndarray) else weights.toarray()).T)
    driven = inputs.transpose(1, 0, 2) @ esn.input_weights_.T + esn.bias_
    out, leak = np.empty_like(driven), esn.leak_rate

    def drive() -> None:
        state = np.zeros(driven.shape[1:])
        for t in range(len(driven)):
            new = np.dot(state, transposed)
            new += driven[t]
            np.tanh(new, out=new)
            new *= leak
            new += (1.0 - leak) * state
            out[t] = state = new

    return drive


def floor(case: Case, rates: Rates, seconds: dict[str, Seconds]) -> tuple[float, str] | None:
    """Return the seconds that the machine needs at least, and what for."""
    clock = "cpu" if case["threads"] == 1 else "wall"
    if case["kind"] == "fit":
        return seconds["drive"][clock] + seconds[SYRK][clock], "a drive and one dsyrk"
    if case["kind"] == "digits":
        return None
    units, connections = case["units"], case["density"] * case["units"]
    if case["group"] == "large":
        # Per unit: its weights, bias, leak, input weight, old and new state, and the state written out.
        moved = 8 * units * (connections + 6)
        return case["per"] * moved / rates[
            "copy_small" if units < 500_000 else "copy_large"
        ], "copying what a step reads and writes"
    adds = 2 * units * (connections + 1 + (case["kind"] == "closed"))
    return case["per"] * (adds / rates["fma64"] + units / rates["tanh64"]), "multiply-adds and tanh"
