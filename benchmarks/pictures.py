"""Draw every kind of picture of every command, small, and lay them out on contact sheets, to look at them all.

    python benchmarks/pictures.py [pictures]

The pictures and the sheets go to a folder; a picture's title on a sheet is the command that drew it.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner
from matplotlib.figure import Figure
from matplotlib.image import imread
from reservoir.commands.main import cli
from reservoir.tasks import list_tasks

ROOT = Path(__file__).parent.parent
SUNSPOTS = ROOT / "tasks/data/sunspots_monthly.csv"
ACROSS, DOWN = 2, 3
"""The pictures on a sheet."""

OPTIONS = {
    "csv": f"--data {SUNSPOTS} --column sunspots",
    "reber": "--model lstm --set training.epochs=30 --task-set train_sequences=200 --task-set test_sequences=100",
    "parity": "--set units=60",
    "waveform": "--model clockwork --set training.epochs=200",
    "copy": "--task-set train_sequences=300 --task-set test_sequences=100",
}
"""The options with which a task is run."""
VARY = "--vary spectral_radius=0.2:1.4:7"
SMALL = "--set units=50 --jobs 1"
SWEEPS = {
    "line": f"{VARY} --seeds 0:3",
    "line-best": f"{VARY} --vary leak_rate=0.4,0.7,1.0 --names spectral_radius",
    "categories": f"{VARY} --vary topology=diagonals,cycle,orthogonal --seeds 0:2",
    "map": f"{VARY} --vary input_scaling=log:0.01:1:6 --seeds 0:2",
    "three": f"{VARY} --vary input_scaling=log:0.01:1:4 --vary leak_rate=0.4,0.7,1.0",
    "five": "--vary spectral_radius=0.1:1.5 --vary input_scaling=log:0.01:1 --vary leak_rate=0.2:1 --vary topology=cycle,dense "
    "--vary readout.ridge=log:1e-9:1e-3 --strategy random --trials 60",
    "search-line": "--vary spectral_radius=0.1:1.5 --strategy random --trials 40",
    "search-map": "--vary spectral_radius=0.1:1.5 --vary input_scaling=log:0.01:1 --strategy sobol --trials 64",
}
COMPARED = {
    "narma10": "esn,lstm,gru", "temporal-order": "esn,clockwork,lstm", "waveform": "clockwork,lstm", "lorenz": "esn,wide=esn",
    "memory-capacity": "esn,wide=esn", "digits": "esn,elman", "channel-equalization": "esn,elman", "adding": "elman,lstm,indrnn",
    "kuramoto-sivashinsky": "esn", "copy": "esn,lstm",
}  # fmt: skip
"""Tasks with the models that are compared on them."""


def commands(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each picture, and the command that draws it there; a command without a picture prepares the next."""
    for task in list_tasks():
        yield f"run-{task}", f"run {task} {OPTIONS.get(task, '')} --plot {folder}/run-{task}.png"
    for name, options in SWEEPS.items():
        varied, _, names = options.partition("--names")
        yield "", f"sweep narma10 {varied} {SMALL} --store {folder}/{name}.db"
        drawn = f"--names{names}" if names else ""
        yield f"sweep-{name}", f"results {folder}/{name}.db {drawn} --plot {folder}/sweep-{name}.png"
    yield "inspect", f"inspect --set units=200 --plot {folder}/inspect.png"
    yield "inspect-large", f"inspect --set units=2100 --set topology=cycle --plot {folder}/inspect-large.png"
    yield "gradients", f"gradients adding --models elman,lstm,indrnn --plot {folder}/gradients.png"
    yield "gradients-one", f"gradients narma10 --models gru --set training.epochs=3 --plot {folder}/gradients-one.png"
    yield "forecast", f"forecast {SUNSPOTS} --column sunspots --horizon 132 --out {folder}/forecast.csv"


def main() -> None:
    """Run the commands in this process, and lay out what they drew."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "pictures")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    drawn = []
    import time
    for name, command in commands(folder):
        t = time.time()
        outcome = CliRunner().invoke(cli, shlex.split(command))
        print(f"{time.time() - t:.1f} reservoir {command}", flush=True)
        if outcome.exception and outcome.exit_code:
            print(f"FAILED: {outcome.exception!r}", flush=True)
