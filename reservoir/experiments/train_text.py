"""Trains one language model on a text: continues from a checkpoint, scores every part of the text, and reports the scores."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reservoir.base.tables import Table, number
from reservoir.experiments.evaluation import Progress, described, learner_for, make_model, settings_for
from reservoir.language.batches import pieces
from reservoir.models import known_model, model_name
from reservoir.tasks.text import scored_text

PARTS = ("train", "validation", "test")
PIECE = 1024
"""The symbols of the pieces in which the training part is scored side by side, each from the zero state: it may be long."""


@dataclass(frozen=True)
class TextReport:
    """A trained language model, its row of plain data, and the score of each part of the text; None for a part of share 0."""

    model: Any
    row: Mapping[str, Any]
    scores: Mapping[str, Any]

    def records(self) -> list[Mapping[str, Any]]:
        """The row as plain data."""
        return [self.row]

    def table(self) -> Table:
        """A row for each part of the text."""
        found = {name: score for name, score in self.scores.items() if score is not None}
        body = [
            [name, f"{score.symbols:,}", number(score.perplexity), number(score.bits_per_character)]
            for name, score in found.items()
        ]
        facts = f"{self.row['vocabulary']:,} symbols in the vocabulary, {self.row['symbols_per_second']:,.0f} trained per second"
        columns = ["part", "symbols", "perplexity", "bits per character"]
        title = f"{self.row['task']}, {self.row['model']}: {self.model.n_parameters_:,} weights, seed {self.row['seed']}"
        return Table(title, columns, body, [f"{facts}."])


def train_text(
    task: Any,
    model: str | type,
    settings: Mapping[str, Any],
    seed: int,
    checkpoint: str,
    progress: Progress | None = None,
    watch: Callable[[Any], None] | None = None,
) -> TextReport:
    """Train a language model on the text of a task and score it; raise what the task and the model raise.

    Parameters
    ----------
    task : a task of the kind text, with the options that say what is trained and what is held out
    model : the name or the class of a network trained by gradient, or of an echo state network
    settings : parameters over the task's own settings for that model
    seed : of the weights, and of the order of the mini-batches
    checkpoint : the file that keeps the training after every epoch, and from which it continues; unless the settings name one
    progress : called after each epoch with its record and the number of epochs
    watch : called after each epoch with the model as it is then
    """
    made = make_model(model, settings_for(task, model, settings), seed)
    learner = learner_for(task, made)
    [key] = [name for name in learner.get_params() if name.endswith("training__checkpoint")]
    ours = learner.get_params()[key] is None
    if ours:
        learner.set_params(**{key: checkpoint, f"{key}_every": 1})
    learner.check()
    data = task.generate(seed)
    learner.fit(data.train.text, data.info["vocabulary"], data.validation.text, progress, watch)
    if ours:
        learner.set_params(**{key: None})
    splits = {name: getattr(data, name) for name in PARTS}
    predicted = {name: task.predict(learner, split) for name, split in splits.items() if name != "train" and split.inputs}
    predicted["train"] = learner.log_probabilities(pieces(task.documents_of(data.train), PIECE))
    scores = {name: scored_text(predicted[name], split) if name in predicted else None for name, split in splits.items()}
    perplexities = {f"{name}_perplexity": score and score.perplexity for name, score in scores.items()}
    row = {
        "task": task.name, "model": model_name(known_model(model)), "params": described(made.get_params()), "seed": seed,
        **perplexities, "test_bpc": scores["test"] and scores["test"].bits_per_character,
        "symbols_per_second": statistics.median([r["steps_per_second"] for r in learner.history_] or [0.0]),
        "vocabulary": len(data.info["vocabulary"]),
    }  # fmt: skip
    return TextReport(learner, row, scores)
