"""Parameters that the settings of several tasks share.

Every task names in `tuned` the parameters with which each model does well on it. A random search found them, on seeds that no
report uses. `reservoir run` starts from them, and `--set` goes over them. An entry "gradient" holds for all models trained by
gradient; an entry with a model's name goes over it.

Networks that are asked for memory (adding, temporal-order, copy, reber) are read at the last step or at each step, never by
attention, which leaves little to remember. Networks for filters and forecasts never read backward.
"""

from __future__ import annotations

from typing import Any


def given(**parameters: Any) -> dict[str, Any]:
    """Return the parameters by name, nested ones as `readout__ridge`; or the models by name, with the parameters of each."""
    return parameters


def epochs(most: int) -> dict[str, Any]:
    """Return the settings of at most so many epochs; half of them, at least 5, without a better loss are the end.

    Shorter patience does not outlast the plateau before a network finds what it has to remember (Clockwork RNN on reber), nor the
    first part of the cosine schedule.
    """
    return given(training__epochs=most, training__patience=max(most // 2, 5))


DELAY_LINES = given(units=400, topology="orthogonal", spectral_radius=1.07, leak_rate=0.18, input_scaling=0.08, bias_scaling=0.02,
                    readout_from=["bias", "state", "square"], washout=0)  # fmt: skip
ADAM = given(training__learning_rate=5e-3, training__schedule="cosine")
ADAMW = ADAM | given(training__optimizer="adamw", training__weight_decay=0.3, training__batch_size=8)
# A faster mean of the squared gradient: one-step errors end far lower, and forecasts last longer.
PRECISE = ADAM | given(training__learning_rate=3e-3, training__beta2=0.99, training__batch_size=8)
FILTER = ADAMW | given(units=32, washout=50, training__window=150) | epochs(300)
FLOW = PRECISE | given(units=32, washout=20, training__window=70) | epochs(1000)
CLASSES = ADAM | given(loss="cross_entropy", units=64, bidirectional=True, dropout=0.5)
DEEP = given(units=64, layers=2)
"""For units that are independent within a layer: they mix only from one layer to the next."""
DEEP_TANH = DEEP | given(activation="tanh")
FAST = given(periods=[1, 4])
