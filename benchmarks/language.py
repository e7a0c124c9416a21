"""The figures of language models: a short text learned by heart, and all models and n-grams on a whole text, as Markdown.

    python benchmarks/language.py FOLDER TEXT [--only short characters words]

TEXT is a file, such as all of Shakespeare's plays. FOLDER keeps every result, so that the same command continues where it
stopped, within an epoch. Hours on two cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from reservoir.experiments.train_text import train_text
from reservoir.tasks import get_task
from reservoir.tasks.text import scored_text
from reservoir.text.ngram import NGram

SHORT = {"length": 10_000, "validation": 0.0, "test": 0.0}
BY_HEART = {
    "units": 256, "dropout": 0.0, "training__epochs": 120, "training__learning_rate": 1e-2, "training__clip_norm": 0.01,
    "training__truncation": (35, 35),
}  # fmt: skip
WINDOWS = {"bidirectional": True, "training__truncation": None, "training__window": 35}
WORDS = {"tokens": "words", "minimum_count": 3}
VECTORS = {"symbols": "learned", "symbol_size": 128}
MODELS = ("elman", "indrnn", "mgu", "clockwork", "lstm", "gru", "esn")
ORDERS = range(1, 7)


class Run(NamedTuple):
    """A model on a part of the text: its label, name, settings over those of the task, and the options of the task."""

    label: str
    model: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]


def runs() -> dict[str, list[Run]]:
    """The runs by section."""
    short = [
        Run("GRU", "gru", {}, {}), Run("LSTM", "lstm", {}, {}),
        Run("GRU, cosine", "gru", {"training__schedule": "cosine"}, {}),
        Run("LSTM, cosine", "lstm", {"training__schedule": "cosine"}, {}),
        Run("GRU, 2 layers", "gru", {"layers": 2}, {}), Run("LSTM, 2 layers", "lstm", {"layers": 2}, {}),
        Run("GRU, bidirectional", "gru", WINDOWS, {}), Run("LSTM, bidirectional", "lstm", WINDOWS, {}),
        Run("LSTM, 6 layers", "lstm", {"layers": 6}, {}),
        Run("LSTM, 6 layers, residual, cosine", "lstm", {"layers": 6, "residual": True, "training__schedule": "cosine"}, {}),
    ]  # fmt: skip
    plain = {"training__schedule": "constant"}
    return {
        "short": [Run(r.label, r.model, {**BY_HEART, **plain, **r.settings}, SHORT) for r in short],
        "characters": [Run(model, model, {}, {}) for model in MODELS],
        "words": [Run(model, model, {} if model == "esn" else VECTORS, WORDS) for model in MODELS],
    }


def trained(run: Run, text: Path, name: Path) -> dict[str, Any]:
    """The row of a run, from FOLDER if it was done before."""
    kept = name.with_suffix(".json")
    if kept.exists():
        return dict(json.loads(kept.read_text(encoding="utf-8")))

    def tell(record: Mapping[str, Any], epochs: int) -> None:
        print(f"{run.label}: epoch {record['epoch'] + 1} of {epochs}, perplexity {np.exp(record['loss']):.4f}", flush=True)

    task = get_task("text", path=str(text), **run.options)
    report = train_text(task, run.model, run.settings, 0, str(name.with_suffix(".checkpoint")), tell)
    last = report.model.history_[-1]
    row = {**report.row, "weights": report.model.n_parameters_, "last": float(np.exp(last["loss"])), "seconds": last["seconds"]}
    kept.write_text(json.dumps(row, default=str), encoding="utf-8")
    return row


def short_table(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The perplexity of a text that is learned by heart: that of the last epoch, while the weights change."""
    yield "| model | weights | training perplexity | seconds |"
    yield "|---|---|---|---|"
    for label, row in rows.items():
        yield f"| {label} | {row['weights']:,} | {row['last']:.4f} | {row['seconds']:,.0f} |"


def whole_table(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The scores of a text of which parts are held out."""
    yield "| model | weights | test perplexity | test bits per character | seconds |"
    yield "|---|---|---|---|---|"
    for label, row in rows.items():
        weights, seconds = (f"{row[key]:,.0f}" if key in row else "" for key in ("weights", "seconds"))
        yield f"| {label} | {weights} | {row['test_perplexity']:.3f} | {row['test_bpc']:.3f} | {seconds} |"


def n_grams(text: Path, options: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The scores of the n-grams."""
    task = get_task("text", path=str(text), **options)
    data = task.generate(0)
    for order in ORDERS:
        model = NGram(order).fit(data.train.text, data.info["vocabulary"])
        found = scored_text(task.predict(model, data.test), data.test)
        yield f"{order}-gram", {"test_perplexity": found.perplexity, "test_bpc": found.bits_per_character}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--only", nargs="+", choices=list(runs()), default=list(runs()))
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    for section in arguments.only:
        rows = {}
        for number, run in enumerate(runs()[section]):
            rows[run.label] = trained(run, arguments.text, arguments.folder / f"{section}-{number}")
        if section != "short":
            rows |= n_grams(arguments.text, {} if section == "characters" else WORDS)
        print(f"\n{section}\n")
        print("\n".join((short_table if section == "short" else whole_table)(rows)))


if __name__ == "__main__":
    main()
