"""The table of the models, and the public names that are read off it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from messages import mentions

import reservoir
from reservoir.base.estimator import Estimator
from reservoir.experiments.evaluation import settings_for
from reservoir.models import MODELS, PARTS, known_model, model_class
from reservoir.tasks import as_task
from reservoir.validation import ParameterError


def test_type_checkers_see_the_public_names_where_they_are() -> None:
    tree = ast.parse(Path(reservoir.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert {alias.asname: node.module for node in imports for alias in node.names} == reservoir._HOMES


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_a_public_name(name: str) -> None:
    kind = model_class(name)
    assert kind is getattr(reservoir, MODELS[name].class_name) and kind.__module__ == MODELS[name].module
    assert issubclass(kind, Estimator) and kind.__name__ in reservoir.__all__


@pytest.mark.parametrize("name", ["LSTM", "lstm", "Lstm"])
def test_names_of_models_in_any_case(name: str) -> None:
    assert (model_class(name), known_model(name), settings_for(as_task("adding"), name, {})) == (
        reservoir.LSTM,
        "lstm",
        settings_for(as_task("adding"), "lstm", {}),
    )


@pytest.mark.parametrize(("name", "near"), [("ClockworkRNN", "clockwork"), ("LTSM", "lstm")])
def test_unknown_models(name: str, near: str) -> None:
    with pytest.raises(ParameterError, match=mentions(f"'{name}' {near}")):
        model_class(name)


def test_no_part_of_a_model_is_a_model() -> None:
    assert not {model.class_name for model in MODELS.values()} & set(PARTS)
