"""Echo state networks and Clockwork RNNs. Names load when first used, so that the import costs next to nothing."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reservoir.base.version import __version__

if TYPE_CHECKING:
    from reservoir.echo.esn import ESN
    from reservoir.echo.readouts.logistic import Logistic
    from reservoir.echo.readouts.online import LeastMeanSquares, RecursiveLeastSquares
    from reservoir.echo.readouts.ridge import Ridge, RidgeClassifier
    from reservoir.echo.spectral import spectral_radius
    from reservoir.gradient.estimators import GRU, LSTM, MGU, ClockworkRNN, Elman, IndRNN
    from reservoir.gradient.training import Training
    from reservoir.models import load
    from reservoir.validation import DataError, DivergenceError, ModelFileError, ParameterError, StoreError

_HOMES = {
    "ESN": "reservoir.echo.esn",
    "Elman": "reservoir.gradient.estimators",
    "LSTM": "reservoir.gradient.estimators",
    "GRU": "reservoir.gradient.estimators",
    "MGU": "reservoir.gradient.estimators",
    "IndRNN": "reservoir.gradient.estimators",
    "ClockworkRNN": "reservoir.gradient.estimators",
    "Training": "reservoir.gradient.training",
    "Ridge": "reservoir.echo.readouts.ridge",
    "RidgeClassifier": "reservoir.echo.readouts.ridge",
    "Logistic": "reservoir.echo.readouts.logistic",
    "RecursiveLeastSquares": "reservoir.echo.readouts.online",
    "LeastMeanSquares": "reservoir.echo.readouts.online",
    "spectral_radius": "reservoir.echo.spectral",
    "load": "reservoir.models",
    "DataError": "reservoir.validation",
    "DivergenceError": "reservoir.validation",
    "ModelFileError": "reservoir.validation",
    "ParameterError": "reservoir.validation",
    "StoreError": "reservoir.validation",
}

__all__ = [
    "ESN", "GRU", "LSTM", "MGU", "ClockworkRNN", "DataError", "DivergenceError", "Elman", "IndRNN", "LeastMeanSquares",
    "Logistic", "ModelFileError", "ParameterError", "RecursiveLeastSquares", "Ridge", "RidgeClassifier", "StoreError", "Training",
    "__version__", "load", "spectral_radius",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reservoir' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
