"""Continue the Lorenz attractor, and draw how long the forecast holds.

python examples/lorenz.py lorenz.png
"""

import sys

from reservoir import ESN, Ridge
from reservoir.plotting import save, task_figure
from reservoir.tasks import get_task

task = get_task("lorenz")
data = task.generate(seed=0)
esn = ESN(
    units=500, spectral_radius=0.7, leak_rate=0.55, input_scaling=0.064, bias_scaling=1.4, readout=Ridge(1e-11), random_state=0
)
esn.fit(data.train.inputs, data.train.targets)
forecasts = esn.forecast(data.test.inputs, steps=len(data.test.targets[0]))
score = task.score(forecasts, data)
print(f"valid for {score:.1f} Lyapunov times; persistence {task.baseline(data):.2f}")
if len(sys.argv) > 1:
    save(task_figure(task, data, forecasts, f"Lorenz: valid for {score:.1f} Lyapunov times"), sys.argv[1])
