"""All readouts by name."""

from reservoir.echo.logistic import Logistic
from reservoir.echo.online import LeastMeanSquares, RecursiveLeastSquares
from reservoir.echo.readout import Readout, Ridge, RidgeClassifier
from reservoir.validation import unknown

READOUTS: dict[str, type[Readout]] = {
    readout.__name__: readout for readout in (Ridge, RidgeClassifier, Logistic, RecursiveLeastSquares, LeastMeanSquares)
}


def readout_named(name: str) -> Readout:
    """A readout with its default settings by the name of its class. Raises `ParameterError` for an unknown one."""
    if name not in READOUTS:
        raise unknown("readout", name, READOUTS)
    return READOUTS[name]()
