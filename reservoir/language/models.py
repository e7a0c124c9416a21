"""The language model that is made of a model for sequences."""

from __future__ import annotations

from typing import Any

from reservoir.echo.esn import ESN
from reservoir.gradient.recurrent import RecurrentEstimator
from reservoir.language.echo import EchoLanguageModel
from reservoir.language.recurrent import LanguageModel
from reservoir.validation import ParameterError, brief


def language_model(model: Any) -> LanguageModel | EchoLanguageModel:
    """Return the unfitted language model of a network trained by gradient, or of an echo state network.

    Raises `ParameterError` for any other model.
    """
    if isinstance(model, ESN):
        return EchoLanguageModel(model)
    if isinstance(model, RecurrentEstimator):
        return LanguageModel(model)
    raise ParameterError(f"A model of text must be a network trained by gradient, or an ESN. Got {brief(model)} instead.")
