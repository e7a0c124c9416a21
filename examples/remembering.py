"""Why gates: what becomes of the gradient, step by step back in time, in an Elman network and in an LSTM.

python examples/remembering.py [gradients.png]
"""

import sys

from reservoir import LSTM, Elman, Training
from reservoir.diagnostics.gradients import GradientReport
from reservoir.gradient.diagnostics import measure_gradients
from reservoir.tasks import get_task

task = get_task("adding", length=100, train_sequences=5000, test_sequences=1000)
data = task.generate(seed=0)
training = Training(epochs=10, learning_rate=5e-3, schedule="cosine")
networks = [Elman(units=32, recurrent_init="glorot", training=training, random_state=0), LSTM(training=training, random_state=0)]
found = {}
for network in networks:
    name = type(network).__name__
    network.fit(data.train.inputs, data.train.targets)
    score = task.score(network.predict(data.test.inputs), data)
    found[name] = measure_gradients(network, data.test.inputs[:20], data.test.targets[:20])
    print(
        f"{name}: mse {score:.5f}, always 1: {task.baseline(data):.3f}; gradient per step back: times {found[name]['growth']:.3f}"
    )
if len(sys.argv) > 1:
    GradientReport(task.name, found).plot(sys.argv[1])
