"""What gates do: a small LSTM and a small GRU remember the last letter among dots, and give it where a question mark asks.

python examples/gates.py [gates.png]
"""

import sys

import numpy as np

from reservoir import GRU, LSTM, Training, gates, plotting

SYMBOLS = ".ab?"


def draw(generator: np.random.Generator, length: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """The symbols of a sequence, and its targets: the last letter at a question mark, a dot everywhere else."""
    symbols = generator.choice(4, length, p=(0.7, 0.1, 0.1, 0.1))
    symbols[0] = generator.integers(1, 3)
    targets, last = np.zeros(length, int), 0
    for step, symbol in enumerate(symbols):
        last = symbol if symbol in (1, 2) else last
        targets[step] = last if symbol == 3 else 0
    return symbols[:, None].astype(float), targets


generator = np.random.default_rng(0)
inputs, targets = zip(*[draw(generator) for _ in range(200)], strict=True)
training = Training(epochs=60, learning_rate=0.03, schedule="cosine")
shown, wanted = draw(np.random.default_rng(3))
reports = []
for model, units in ((LSTM, 3), (GRU, 4)):
    network = model(units=units, symbols="one-hot", loss="cross_entropy", training=training, random_state=0)
    network.fit(list(inputs), list(targets))
    report = gates(network, shown, symbols=[SYMBOLS[int(symbol)] for symbol in shown[:, 0]])
    reports.append(report)
    print(f"{model.__name__}: {(network.predict(shown) == wanted).mean():.0%} of the answers are right")
    print(report.table())
if len(sys.argv) > 1:
    plotting.save(plotting.gates_figure(*reports), sys.argv[1])
