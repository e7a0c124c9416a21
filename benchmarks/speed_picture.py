"""Draws the JSON file of benchmarks/speed.py: per row, how much of the machine is used and how far away the best peer is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from speed_page import ABOUT, OURS, peers_of, seconds_of

from reservoir.plotting.style import ERROR, MODEL, house_style, new_figure, save

LEFT_OUT = ("start",)


def others(row: dict[str, Any]) -> list[float]:
    """Return the seconds of everything that is not the library's own."""
    return [seconds for name, seconds in peers_of(row).items() if not name.startswith("our ")]


def draw(found: dict[str, Any], path: Path) -> None:
    """Write a picture with two bars per row: the time over the floor, and the best peer's time over ours."""
    rows = [
        row for row in found["rows"] if row["threads"] == 1 and row["group"] not in LEFT_OUT and (row["floor"] or peers_of(row))
    ]
    rows.sort(key=lambda row: list(ABOUT).index(row["group"]))
    labels = [f"{ABOUT[row['group']][0]}: {row['name']}" for row in rows]
    floors = [seconds_of(row, OURS) / row["floor"] if row["floor"] else np.nan for row in rows]
    peers = [min(others(row), default=np.nan) / seconds_of(row, OURS) for row in rows]
    places = np.arange(len(rows))[::-1]
    with house_style():
        figure = new_figure(
            f"The fastest other way takes {np.nanmin(peers):.1f} to {np.nanmax(peers):.0f} times as long\nOne thread."
            " Left: 1 is what the machine can do at best. Right: other libraries and NumPy alone; beyond 1 ours is faster.",
            9.0, 1.5 + 0.19 * len(rows),
        )  # fmt: skip
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, values, color, name in ((left, floors, ERROR, "time / floor"), (right, peers, MODEL, "fastest other / time")):
            axes.barh(places, np.array(values) - 1.0, left=1.0, color=color, height=0.7)
            axes.axvline(1.0, color="black", linewidth=0.8)
            axes.set_xscale("log")
            axes.set_xlabel(name)
            ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200) if tick <= 1.2 * np.nanmax(values)]
            axes.set_xticks(ticks, [f"{tick}×" for tick in ticks])
            axes.minorticks_off()
            axes.grid(False, axis="y")
        left.set_yticks(places, labels, fontsize=7)
        left.set_ylim(-0.6, len(rows) - 0.4)
        save(figure, path)
