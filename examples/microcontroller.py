"""A network that forecasts a sensor's next value, as a C header for a microcontroller; microcontroller.c runs it.

python examples/microcontroller.py [units] [float|double] [topology]
cc -O3 -o sensor examples/microcontroller.c -I. -lm && ./sensor        (and -DNUMBER=double, if it is double)
"""

import sys

import numpy as np

from reservoir import ESN, Ridge, export_c

units, precision, topology = [*sys.argv[1:], *["100", "float", "diagonals"][len(sys.argv) - 1 :]]
time = np.arange(3000)
noise = 0.01 * np.random.default_rng(0).standard_normal(len(time))
vibration = np.sin(0.2 * time) * np.sin(0.0311 * time) + noise
settings = {"units": int(units), "density": 9 / int(units), "topology": topology, "leak_rate": 0.5}
esn = ESN(**settings, readout=Ridge(1e-2), random_state=0).fit(vibration)
print(export_c(esn, "sensor.h", precision=precision).table())
