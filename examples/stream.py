"""Learn from a stream, piece by piece, in constant memory: the same weights as from one array. Then answer row by row.

python examples/stream.py
"""

import time

import numpy as np

from reservoir import ESN, Ridge

series = np.sin(0.2 * np.arange(50_001)) * np.sin(0.0311 * np.arange(50_001))
settings = {"units": 200, "density": 0.05, "leak_rate": 0.5, "readout": Ridge(1e-4, solver="cholesky"), "random_state": 0}

whole = ESN(**settings).fit(series[:-1], series[1:])
pieces = ESN(**settings)
for start in range(0, 50_000, 10_000):
    stop = start + 10_000
    pieces.partial_fit(series[start:stop], series[start + 1 : stop + 1], continued=start > 0)

difference = np.abs(whole.predict(series) - pieces.predict(series)).max()
print(f"largest difference of the predictions: {difference:.1e}")

state = whole.reset()  # before the first row
whole.predict(series[:50_000], state=state)  # a part; the state is left where it ends
answers = [whole.step(row) for row in series[50_000:]]  # and goes on row by row
print(f"rows that come one by one have the same bits: {np.array_equal(answers, whole.predict(series)[50_000:])}")

begin = time.perf_counter()
for row in series[:10_000]:
    whole.step(row)
print(f"{(time.perf_counter() - begin) * 100:.0f} µs a row")
