"""Classify sequences of unequal length by the mean state of a reservoir, with probabilities.

python examples/classify_sequences.py
"""

from reservoir import ESN, Logistic
from reservoir.tasks import get_task

task = get_task("frequency-discrimination", noise=0.6)
data = task.generate(seed=0)
esn = ESN(units=200, density=0.05, leak_rate=0.5, pooling="mean", washout=10, readout=Logistic(1.0),
          readout_from=("bias", "state", "square"), random_state=0)  # fmt: skip
esn.fit(data.train.inputs, data.train.targets)
print(f"accuracy {esn.score(data.test.inputs, data.test.targets):.3f}, the commonest label {task.baseline(data):.3f}")
print("probabilities of the first three:", esn.predict_proba(data.test.inputs[:3]).round(3).tolist())
