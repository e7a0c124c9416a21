"""All readouts by name."""

from reservoir.echo.readouts.base import Readout
from reservoir.echo.readouts.logistic import Logistic
from reservoir.echo.readouts.online import LeastMeanSquares, RecursiveLeastSquares
from reservoir.echo.readouts.ridge import Ridge, RidgeClassifier

READOUTS: dict[str, type[Readout]] = {
    "Ridge": Ridge, "RidgeClassifier": RidgeClassifier, "Logistic": Logistic,
    "RecursiveLeastSquares": RecursiveLeastSquares, "LeastMeanSquares": LeastMeanSquares,
}  # fmt: skip
