"""All readouts by name."""

from reservoir.echo.logistic import Logistic
from reservoir.echo.online import LeastMeanSquares, RecursiveLeastSquares
from reservoir.echo.readout import Readout, Ridge, RidgeClassifier

READOUTS: dict[str, type[Readout]] = {
    readout.__name__: readout for readout in (Ridge, RidgeClassifier, Logistic, RecursiveLeastSquares, LeastMeanSquares)
}
