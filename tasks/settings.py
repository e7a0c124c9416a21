"""Parameters with which each model does well on each task, found by random search on seeds that no report uses.

They are where `reservoir run` starts; `--set` goes over them. Nested parameters are written as `readout__ridge`. Those of
the models trained by gradient are in `reservoir.tasks.settings_gradient`.
"""

from __future__ import annotations

from collections.abc import Mapping

from reservoir.tasks.settings_gradient import GRADIENT, Settings

NARMA_LONG: Settings = {
    "units": 300,
    "density": 0.033,
    "spectral_radius": 1.0,
    "input_scaling": 0.053,
    "bias_scaling": 0.19,
    "readout__ridge": 1e-9,
    "washout": 200,
}
RECORD: Settings = {
    "units": 300,
    "density": 0.033,
    "spectral_radius": 0.93,
    "leak_rate": 0.1,
    "input_scaling": 0.3,
    "bias_scaling": 0.01,
    "readout__ridge": 1.0,
}
DELAY_LINES: Settings = {
    "units": 400,
    "topology": "orthogonal",
    "spectral_radius": 1.07,
    "leak_rate": 0.18,
    "input_scaling": 0.08,
    "bias_scaling": 0.02,
    "readout_from": ["bias", "state", "square"],
    "washout": 0,
}

ESN: Mapping[str, Settings] = {
    "narma10": {
        "units": 200,
        "density": 0.05,
        "spectral_radius": 0.88,
        "input_scaling": 0.1,
        "bias_scaling": 0.1,
        "readout__ridge": 2e-9,
        "washout": 200,
    },
    "narma20": NARMA_LONG,
    "narma30": NARMA_LONG,
    "memory-capacity": {
        "units": 50,
        "topology": "orthogonal",
        "activation": "identity",
        "spectral_radius": 0.95,
        "input_scaling": 0.1,
        "bias_scaling": 0.0,
        "readout__ridge": 0.0,
        "readout__solver": "svd",
        "washout": 200,
    },
    "delayed-recall": {"units": 100, "density": 0.1, "spectral_radius": 0.95, "input_scaling": 0.1, "bias_scaling": 0.05},
    "parity": {"units": 200, "density": 0.05, "spectral_radius": 0.8, "input_scaling": 0.5, "readout__ridge": 1e-6},
    "channel-equalization": {
        "units": 46,
        "density": 0.22,
        "spectral_radius": 0.34,
        "input_scaling": 0.1,
        "bias_scaling": 0.03,
        "readout_from": ["bias", "input", "state", "square"],
        "readout__ridge": 1e-7,
    },
    "mackey-glass": {
        "units": 1000,
        "density": 0.01,
        "spectral_radius": 1.03,
        "leak_rate": 0.52,
        "input_scaling": 0.75,
        "bias_scaling": 0.65,
        "readout_from": ["bias", "input", "state", "square"],
        "readout__ridge": 1e-15,
    },
    "lorenz": {
        "units": 500,
        "spectral_radius": 0.7,
        "leak_rate": 0.55,
        "input_scaling": 0.064,
        "bias_scaling": 1.4,
        "readout__ridge": 1e-11,
        "washout": 200,
    },
    "rossler": {
        "units": 500,
        "spectral_radius": 0.76,
        "leak_rate": 0.55,
        "input_scaling": 0.032,
        "bias_scaling": 0.76,
        "readout__ridge": 1e-12,
        "washout": 200,
    },
    "kuramoto-sivashinsky": {
        "units": 2000,
        "density": 0.003,
        "spectral_radius": 0.55,
        "input_scaling": 0.056,
        "input_density": 0.2,
        "bias_scaling": 1.0,
        "readout_from": ["bias", "input", "state", "square"],
        "readout__ridge": 1.5e-8,
    },
    "henon": {
        "units": 300,
        "density": 0.033,
        "spectral_radius": 0.2,
        "leak_rate": 0.93,
        "input_scaling": 1.2,
        "bias_scaling": 0.37,
        "readout__ridge": 3e-12,
    },
    "mso": {
        "units": 100,
        "topology": "orthogonal",
        "activation": "identity",
        "spectral_radius": 0.84,
        "input_scaling": 0.02,
        "bias_scaling": 0.0,
        "readout__ridge": 5e-14,
    },
    "sine": {
        "units": 100,
        "density": 0.1,
        "spectral_radius": 0.8,
        "leak_rate": 0.45,
        "feedback_scaling": 1.8,
        "readout_from": ["bias", "state"],
        "readout__ridge": 1e-11,
    },
    "sunspots": RECORD,
    "csv": RECORD,
    "frequency-discrimination": {
        "units": 200,
        "density": 0.05,
        "spectral_radius": 0.95,
        "leak_rate": 0.5,
        "input_scaling": 1.0,
        "pooling": "mean",
        "readout": "RidgeClassifier",
        "readout__ridge": 0.1,
        "readout_from": ["bias", "state", "square"],
        "washout": 10,
    },
    "digits": {
        "units": 500,
        "spectral_radius": 0.99,
        "leak_rate": 0.3,
        "input_scaling": 2.0,
        "bias_scaling": 0.5,
        "pooling": "mean",
        "readout": "RidgeClassifier",
        "readout__ridge": [1e-4, 1e-2, 1.0],
        "readout_from": ["bias", "state", "square"],
        "washout": 0,
    },
    "waveform": {
        "units": 100,
        "density": 0.1,
        "spectral_radius": 2.1,
        "leak_rate": 0.16,
        "feedback_scaling": 1e-5,  # more makes the closed loop diverge with some seeds
        "bias_scaling": 0.05,
        "readout__ridge": 3e-9,
        "readout_from": ["bias", "state"],
        "washout": 0,
    },
    "adding": {**DELAY_LINES, "readout__ridge": 1e-5},
    "copy": {**DELAY_LINES, "readout": "RidgeClassifier", "readout__ridge": 1e-5},
    "temporal-order": {
        "units": 200,
        "density": 0.05,
        "spectral_radius": 0.8,
        "leak_rate": 0.06,
        "input_scaling": 0.1,
        "bias_scaling": 0.5,
        "readout": "RidgeClassifier",
        "readout__ridge": 1e-6,
        "washout": 0,
    },
    "reber": {
        "units": 200,
        "topology": "cycle",
        "spectral_radius": 0.9,
        "leak_rate": 0.1,
        "input_scaling": 0.1,
        "bias_scaling": 0.7,
        "readout__ridge": 2e-7,
        "readout_from": ["bias", "state", "square"],
        "washout": 0,
    },
    "spoken-words": {
        "units": 400,
        "topology": "orthogonal",
        "spectral_radius": 0.92,
        "leak_rate": 0.4,
        "input_scaling": 0.08,
        "bias_scaling": 0.3,
        "pooling": "mean",
        "readout": "RidgeClassifier",
        "readout__ridge": 0.03,
        "readout_from": ["bias", "state", "square"],
        "washout": 0,
    },
}


def joined(esn: Mapping[str, Settings], gradient: Mapping[str, Mapping[str, Settings]]) -> dict[str, Mapping[str, Settings]]:
    """Task -> model -> its parameters, of every task that is in either table."""
    return {name: {**({"esn": esn[name]} if name in esn else {}), **gradient.get(name, {})} for name in {**esn, **gradient}}


SETTINGS: Mapping[str, Mapping[str, Settings]] = joined(ESN, GRADIENT)
"""Task -> model -> its parameters; "gradient" stands for every model but the echo state network, see `Task.settings`."""
