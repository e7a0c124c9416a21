"""Echo state networks and Clockwork RNNs. Each name loads when it is first used: importing the package costs little."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from reservoir.base.version import __version__ as __version__
from reservoir.models import LANGUAGE_MODELS, MODELS, PARTS

if TYPE_CHECKING:
    from reservoir.comparison.work import compare as compare
    from reservoir.diagnostics.gates import gates as gates
    from reservoir.diagnostics.gradients import gradient_diagnostics as gradient_diagnostics
    from reservoir.diagnostics.reservoirs import inspect as inspect
    from reservoir.echo.esn import ESN as ESN
    from reservoir.echo.readouts.base import Readout as Readout
    from reservoir.echo.readouts.logistic import Logistic as Logistic
    from reservoir.echo.readouts.online import LeastMeanSquares as LeastMeanSquares
    from reservoir.echo.readouts.online import RecursiveLeastSquares as RecursiveLeastSquares
    from reservoir.echo.readouts.ridge import Ridge as Ridge
    from reservoir.echo.readouts.ridge import RidgeClassifier as RidgeClassifier
    from reservoir.echo.spectral import spectral_radius as spectral_radius
    from reservoir.experiments.run import run as run
    from reservoir.export.header import export_c as export_c
    from reservoir.forecasting.forecaster import Forecaster as Forecaster
    from reservoir.forecasting.work import backtest as backtest
    from reservoir.forecasting.work import forecast as forecast
    from reservoir.gradient.cells.clockwork import ClockworkRNN as ClockworkRNN
    from reservoir.gradient.cells.elman import Elman as Elman
    from reservoir.gradient.cells.gru import GRU as GRU
    from reservoir.gradient.cells.indrnn import IndRNN as IndRNN
    from reservoir.gradient.cells.lstm import LSTM as LSTM
    from reservoir.gradient.cells.mgu import MGU as MGU
    from reservoir.gradient.training import Training as Training
    from reservoir.language.echo import EchoLanguageModel as EchoLanguageModel
    from reservoir.language.generation import generate as generate
    from reservoir.language.generation import likeliest as likeliest
    from reservoir.language.recurrent import LanguageModel as LanguageModel
    from reservoir.models import load as load
    from reservoir.sweeps.report import read_sweep as read_sweep
    from reservoir.sweeps.runner import sweep as sweep
    from reservoir.text.ngram import NGram as NGram
    from reservoir.text.scoring import score_lines as score_lines
    from reservoir.text.scoring import score_text as score_text
    from reservoir.text.vocabulary import Vocabulary as Vocabulary
    from reservoir.validation import DataError as DataError
    from reservoir.validation import DivergenceError as DivergenceError
    from reservoir.validation import ModelFileError as ModelFileError
    from reservoir.validation import ParameterError as ParameterError
    from reservoir.validation import StoreError as StoreError

_HOMES = {
    **{model.class_name: model.module for model in MODELS.values()},
    **PARTS,
    **LANGUAGE_MODELS,
    **dict.fromkeys(("DataError", "DivergenceError", "ModelFileError", "ParameterError", "StoreError"), "reservoir.validation"),
    "Readout": "reservoir.echo.readouts.base",
    "spectral_radius": "reservoir.echo.spectral",
    "Vocabulary": "reservoir.text.vocabulary",
    "NGram": "reservoir.text.ngram",
    "generate": "reservoir.language.generation",
    "likeliest": "reservoir.language.generation",
    "score_text": "reservoir.text.scoring",
    "score_lines": "reservoir.text.scoring",
    "load": "reservoir.models",
    "run": "reservoir.experiments.run",
    "compare": "reservoir.comparison.work",
    "sweep": "reservoir.sweeps.runner",
    "read_sweep": "reservoir.sweeps.report",
    "forecast": "reservoir.forecasting.work",
    "Forecaster": "reservoir.forecasting.forecaster",
    "backtest": "reservoir.forecasting.work",
    "gates": "reservoir.diagnostics.gates",
    "inspect": "reservoir.diagnostics.reservoirs",
    "gradient_diagnostics": "reservoir.diagnostics.gradients",
    "export_c": "reservoir.export.header",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'reservoir' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
