"""Why six layers of LSTM do not learn a text, and what helps: gradients before training, and the perplexity of each epoch.

    python benchmarks/deep.py FOLDER TEXT [--epochs 110]

TEXT is a file of which the first 10,000 characters are learned, such as all of Shakespeare's plays. FOLDER keeps the trainings,
so that the same command continues where it stopped. The picture is FOLDER/deep.png. About 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reservoir import LSTM, Training, plotting
from reservoir.gradient.diagnostics import measure_gradients
from reservoir.language.recurrent import LanguageModel
from reservoir.plotting import style
from reservoir.text.vocabulary import Vocabulary

STACKS: dict[str, dict[str, Any]] = {
    "6 layers, residual=True": {"layers": 6, "residual": True},
    "6 layers": {"layers": 6},
    "6 layers, layer_norm=True": {"layers": 6, "layer_norm": True},
    "6 layers, forget_bias=-1": {"layers": 6, "forget_bias": -1.0},
}
MEASURED = {"1 layer": {"layers": 1}, **STACKS}
UNITS, STEPS, SEQUENCES = 256, 35, 20


def perplexities(folder: Path, label: str, stack: Mapping[str, Any], text: str, epochs: int) -> list[float]:
    """The training perplexity after each epoch."""
    checkpoint = folder / f"{label.replace(' ', '-').replace(',', '')}.safetensors"
    training = Training(
        epochs=epochs,
        learning_rate=1e-2,
        schedule="cosine",
        clip_norm=0.01,
        truncation=(STEPS, STEPS),
        checkpoint=str(checkpoint),
    )
    network = LSTM(units=UNITS, training=training, random_state=0, **stack)

    def tell(record: Mapping[str, Any], epochs: int) -> None:
        print(f"{label}: epoch {record['epoch'] + 1} of {epochs}, perplexity {np.exp(record['loss']):.4f}", flush=True)

    model = LanguageModel(network).fit(text, Vocabulary.from_text(text), progress=tell)
    return [float(np.exp(record["loss"])) for record in model.history_]


def gradients(stack: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The measures of a network that is drawn and not trained, on the beginning of the text."""
    [document] = Vocabulary.from_text(text).documents_of(text)
    starts = range(0, SEQUENCES * STEPS, STEPS)
    inputs = [document[start : start + STEPS, None].astype(float) for start in starts]
    targets = [document[start + 1 : start + STEPS + 1] for start in starts]
    untrained = Training(epochs=0)
    network = LSTM(units=UNITS, symbols="one-hot", loss="cross_entropy", training=untrained, random_state=0, **stack)
    return measure_gradients(network.fit(inputs, targets), inputs, targets, samples=1)


@style.house_style()
def picture(measured: Mapping[str, Mapping[str, Any]], curves: Mapping[str, list[float]]) -> Any:
    """Draw the gradients by steps back, and the perplexity by epoch."""
    figure = style.new_figure(
        "Six layers of LSTM blur the text; residual connections bring the last symbol to the top\n"
        f"LSTM of {UNITS} units a layer, the first 10,000 characters of Shakespeare's plays",
        height=4.4,
    )
    left, right = figure.subplots(1, 2)
    colors = {label: look.color for label, look in style.looks(measured).items()}
    for label, found in measured.items():
        norms = found["last_norms"] / found["last_norms"].max()
        left.plot(np.arange(len(norms)), norms, color=colors[label], label=label)
    left.set(yscale="log", ylim=(5e-4, 1.5), xlabel="steps before the last symbol that is read")
    left.set_ylabel("gradient at the lowest layer (largest = 1)")
    left.set_title("before training: which steps the prediction depends on")
    left.invert_xaxis()
    for label, curve in curves.items():
        right.plot(np.arange(1, len(curve) + 1), curve, color=colors[label], label=label)
    right.set(yscale="log", xlabel="epoch", ylabel="training perplexity", title="training", ylim=(0.9, 100.0))
    right.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return style.finished(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--epochs", type=int, default=110)
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    text = arguments.text.read_text(encoding="utf-8")[:10_000]
    measured = {label: gradients(stack, text) for label, stack in MEASURED.items()}
    for label, found in measured.items():
        last = found["last_norms"]
        print(
            f"{label}: gradient at the last step {last[0] / last.max():.3g} of the largest, {last.argmax()} steps before it;"
            f" by layer, from the input up: {', '.join(f'{value:.2g}' for value in found['layer_gradients'])}"
        )
    curves = {label: perplexities(arguments.folder, label, stack, text, arguments.epochs) for label, stack in STACKS.items()}
    for label, curve in curves.items():
        below = np.flatnonzero(np.array(curve) <= 1.1)
        when = f", at most 1.1 for the first time in epoch {below[0] + 1}" if len(below) else ""
        print(f"{label}: perplexity {curve[-1]:.4f}{when}")
    plotting.save(picture(measured, curves), arguments.folder / "deep.png")


if __name__ == "__main__":
    main()
