"""Why six layers of LSTM do not learn a text, and what does: the training perplexity of deep stacks, and their picture.

    python benchmarks/deep.py FOLDER TEXT [--epochs 110]

TEXT is a text of which the first 10,000 characters are learned, such as all of Shakespeare's plays in one file. FOLDER keeps
each training, so that the same command continues where it stopped. The picture is FOLDER/deep.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reservoir import LSTM, Training
from reservoir.language.recurrent import LanguageModel
from reservoir.language.vocabulary import Vocabulary

STACKS: dict[str, dict[str, Any]] = {
    "6 layers, residual": {"layers": 6, "residual": True},
    "6 layers": {"layers": 6},
    "6 layers, layer_norm": {"layers": 6, "layer_norm": True},
}


def perplexities(folder: Path, label: str, stack: Mapping[str, Any], text: str, epochs: int) -> list[float]:
    """The training perplexity after each epoch."""
    checkpoint = folder / f"{label.replace(' ', '-').replace(',', '')}.safetensors"
    training = Training(
        epochs=epochs, learning_rate=1e-2, schedule="cosine", clip_norm=0.01, truncation=(35, 35), checkpoint=str(checkpoint)
    )
    network = LSTM(units=256, training=training, random_state=0, **stack)
    model = LanguageModel(network)

    def tell(record: Mapping[str, Any], epochs: int) -> None:
        print(f"{label}: epoch {record['epoch'] + 1} of {epochs}, perplexity {np.exp(record['loss']):.4f}", flush=True)

    model.fit(text, Vocabulary.from_text(text), progress=tell)
    return [float(np.exp(record["loss"])) for record in model.history_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--epochs", type=int, default=110)
    arguments = parser.parse_args()
    arguments.folder.mkdir(exist_ok=True)
    text = arguments.text.read_text(encoding="utf-8")[:10_000]
    curves = {label: perplexities(arguments.folder, label, stack, text, arguments.epochs) for label, stack in STACKS.items()}
    for label, curve in curves.items():
        print(f"{label}: {curve[-1]:.4f}")


if __name__ == "__main__":
    main()
