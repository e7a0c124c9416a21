"""Parameters with which the models trained by gradient do well on each task, found as those of `reservoir.tasks.settings`.

An entry "gradient" holds for all of them, one by a model's name goes over it.

Networks that are asked for memory (adding, temporal-order, copy, reber) are read at the last step or at each step, never by
attention, with which there is little to remember. Those of filters and of forecasts never read backward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]

ADAM: Settings = {"training__learning_rate": 5e-3, "training__schedule": "cosine"}
ADAMW: Settings = {**ADAM, "training__optimizer": "adamw", "training__weight_decay": 0.3, "training__batch_size": 8}
# A faster mean of the squared gradient: one-step errors end far lower, and forecasts last longer.
PRECISE: Settings = {**ADAM, "training__learning_rate": 3e-3, "training__beta2": 0.99, "training__batch_size": 8}

FILTER: Settings = {**ADAMW, "units": 32, "washout": 50, "training__window": 150, "training__epochs": 300}
FLOW: Settings = {**PRECISE, "units": 32, "washout": 20, "training__window": 70, "training__epochs": 1000}
CLASSES: Settings = {**ADAM, "loss": "cross_entropy", "units": 64, "bidirectional": True, "dropout": 0.5}
DEEP: Settings = {"units": 64, "layers": 2}
"""Independent units mix only from one layer to the next."""
FAST: Settings = {"periods": [1, 4]}
GATES_APART: Settings = {"bias_init": "normal", "init_scale": 1.0}
"""Gates that begin with different biases remember for different times, some of them long enough."""

NARMA_LONG_GRADIENT: Settings = {
    **FILTER,
    "units": 64,
    "washout": 100,
    "training__window": 200,
    "training__weight_decay": 3.0,
    "training__epochs": 400,
}
NARMA_LONG: Mapping[str, Settings] = {
    "gradient": NARMA_LONG_GRADIENT,
    "elman": {"training__weight_decay": 0.5, "training__epochs": 1500},
    "clockwork": {"periods": [1, 2], "training__weight_decay": 1.0, "training__epochs": 600},
    "indrnn": DEEP,
}
RECORD_GRADIENT: Settings = {
    **PRECISE,
    "units": 32,
    "washout": 20,
    "training__beta2": 0.999,
    "training__epochs": 200,
    "training__window": 200,
    "training__validation_fraction": 0.2,
}
RECORD_OWN: Mapping[str, Settings] = {"clockwork": {"periods": [1, 2, 4, 8]}, "indrnn": {**DEEP, "activation": "tanh"}}
# The settings of Koutnik et al. 2014, who name no limit of the gradient's norm; without one most runs diverge. Each of
# their three models has the one of 2, 5, 20, 50, 100, 300 that suits it best.
WAVEFORM: Settings = {
    "bias_init": "normal",
    "standardize": False,
    "training__epochs": 2000,
    "training__reduction": "sum",
}
WAVEFORM_PAPER: Settings = {
    "units": 31,
    "input_init": "normal",
    "recurrent_init": "normal",
    "init_scale": 0.1,
    "training__optimizer": "nesterov",
    "training__momentum": 0.95,
    "training__learning_rate": 3e-4,
    "training__clip_norm": 2.0,
}
# Models that the paper has not: with its settings they stay at the mean.
WAVEFORM_OTHERS: Settings = {
    "input_init": "glorot",
    "recurrent_init": "orthogonal",
    "init_scale": 1.0,
    "training__optimizer": "adam",
    "training__learning_rate": 1e-2,
    "training__schedule": "cosine",
    "training__clip_norm": 10.0,
}

GRADIENT: Mapping[str, Mapping[str, Settings]] = {
    "narma10": {
        "gradient": {
            **FILTER,
            "washout": 80,
            "training__window": 180,
            "training__learning_rate": 1e-2,
            "training__epochs": 1500,
        },
        "clockwork": FAST,
        "indrnn": DEEP,
    },
    "narma20": NARMA_LONG,
    "narma30": NARMA_LONG,
    "memory-capacity": {
        "gradient": {
            **ADAM,
            "units": 50,
            "washout": 100,
            "training__learning_rate": 1e-2,
            "training__batch_size": 16,
            "training__window": 300,
            "training__epochs": 200,
        },
        "clockwork": FAST,
        "indrnn": DEEP,
    },
    "delayed-recall": {
        "gradient": FILTER,
        "clockwork": FAST,
        "indrnn": DEEP,
    },
    "parity": {
        "gradient": FILTER,
        "clockwork": FAST,
        "indrnn": DEEP,
    },
    "channel-equalization": {
        "gradient": FILTER,
        "clockwork": FAST,
        "indrnn": {"units": 64, "layers": 3, "training__weight_decay": 0.1, "training__learning_rate": 1e-2},
    },
    "mackey-glass": {
        "gradient": {**FLOW, "washout": 50, "training__window": 150},
        "clockwork": {**FAST, "units": 64},
        "indrnn": {**DEEP, "activation": "tanh"},
    },
    "lorenz": {
        "gradient": FLOW,
        "clockwork": FAST,
        "indrnn": {**DEEP, "activation": "tanh"},
    },
    "rossler": {
        "gradient": FLOW,
        "clockwork": FAST,
        "indrnn": {**DEEP, "activation": "tanh"},
    },
    "kuramoto-sivashinsky": {
        "gradient": {**FLOW, "units": 128, "training__beta2": 0.999, "training__epochs": 100},
        "clockwork": FAST,
        "indrnn": {"layers": 2, "activation": "tanh"},
    },
    "henon": {
        "gradient": {**FLOW, "training__epochs": 2000},
        "clockwork": FAST,
        "indrnn": {**DEEP, "activation": "tanh"},
    },
    "mso": {
        "gradient": {**FLOW, "units": 64, "training__window": 120, "training__epochs": 5000},
        "clockwork": {"periods": [1, 2], "activation": "identity"},
        "indrnn": {"layers": 2, "activation": "tanh"},
    },
    "sine": {
        "gradient": {**ADAM, "units": 16, "bias_init": "normal", "init_scale": 1.0, "training__epochs": 1000},
    },
    "sunspots": {"gradient": {**RECORD_GRADIENT, "washout": 100, "training__window": 400}, **RECORD_OWN},
    "csv": {"gradient": RECORD_GRADIENT, **RECORD_OWN},
    "frequency-discrimination": {
        "gradient": {**CLASSES, "units": 32, "dropout": 0.3, "training__epochs": 40},
        "clockwork": FAST,
        "indrnn": {"layers": 2},
    },
    "digits": {
        "gradient": {**CLASSES, "training__epochs": 60},
        "clockwork": {"periods": [1, 2, 4]},
        "indrnn": DEEP,
    },
    "waveform": {
        "gradient": WAVEFORM,
        "elman": WAVEFORM_PAPER,
        "lstm": {
            **WAVEFORM_PAPER,
            "units": 15,
            "peepholes": True,
            "forget_bias": 5.0,
            "training__learning_rate": 3e-5,
            "training__clip_norm": 300.0,
        },
        "clockwork": {**WAVEFORM_PAPER, "units": 40, "training__clip_norm": 100.0},
        "gru": {**WAVEFORM_OTHERS, "units": 17},
        "mgu": {**WAVEFORM_OTHERS, "units": 21},
        "indrnn": {**WAVEFORM_OTHERS, "units": 28, "layers": 2, "layer_norm": True, "training__learning_rate": 3e-3},
    },
    "adding": {
        "gradient": {**ADAM, "units": 32, "training__epochs": 6},
        # The network as it is published, from small random weights. From orthogonal ones it comes to .07 with some seeds.
        "elman": {"recurrent_init": "glorot"},
        "indrnn": {**DEEP, "training__learning_rate": 2e-3},
    },
    "temporal-order": {
        "gradient": {**ADAM, "loss": "cross_entropy", "units": 32, "training__epochs": 8},
        "gru": GATES_APART,
        "mgu": GATES_APART,
        "indrnn": {**DEEP, "training__learning_rate": 2e-3},
    },
    "copy": {"gradient": {**ADAM, "loss": "cross_entropy", "units": 64, "training__epochs": 5}, "indrnn": {"layers": 2}},
    "reber": {
        "gradient": {**ADAM, "units": 24, "training__epochs": 40, "training__learning_rate": 1e-2},
        "clockwork": {"units": 48, "periods": [1, 2], "training__epochs": 80},
        "indrnn": {"units": 48, "layers": 2, "training__learning_rate": 5e-3},
    },
    "spoken-words": {
        "gradient": {**CLASSES, "pooling": "attention", "training__epochs": 30},
        "clockwork": {"periods": [1, 2]},
        "indrnn": DEEP,
    },
}
