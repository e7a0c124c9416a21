"""Made-up comparisons, and what is drawn of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

LABELS = ["good", "poor", "failed"]


def words(figure: Figure) -> str:
    """What stands above a figure: the finding, and what stands beneath it."""
    return " ".join(
        " ".join([figure.get_suptitle(), *[text.get_text() for text in figure.artists if isinstance(text, Annotation)]]).split()
    )


def points(axes: Axes, color: str) -> list[np.ndarray]:
    """The (n, 2) points of each line of that color."""
    return [np.asarray(line.get_xydata()) for line in axes.lines if line.get_color() == color]


def curve(*losses: float, validation: float | None = None) -> list[dict[str, Any]]:
    return [{"epoch": k, "loss": loss, "validation_loss": validation, "seconds": 9.0 + 0.5 * k} for k, loss in enumerate(losses)]
