"""Draw every kind of picture of every command, and lay them out on contact sheets, so that a person can look at them all.

    python benchmarks/pictures.py [pictures]

The pictures and the sheets go to a folder, which is emptied first. Data and networks are small.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner
from matplotlib.figure import Figure
from matplotlib.image import imread

from reservoir import compare
from reservoir.commands.main import cli
from reservoir.tasks import get_task, list_tasks

SUNSPOTS = Path(__file__).parent.parent / "tasks/data/sunspots_monthly.csv"
DEMAND = Path(__file__).parent.parent / "examples/demand_daily.csv"
ON_A_SHEET = (2, 4)
"""The pictures on a sheet, across and down."""
FEW = {"train_sequences": 60, "validation_sequences": 10, "test_sequences": 60}
SHORT = {"train_length": 3000, "starts": 6}
OPTIONS = {
    **dict.fromkeys(("reber", "copy", "adding", "temporal-order", "spoken-words", "frequency-discrimination"), FEW),
    **dict.fromkeys(("mackey-glass", "lorenz", "rossler", "kuramoto-sivashinsky", "henon"), SHORT),
    "text": {"length": 50_000},
}
"""The options of tasks that would take long."""
SETTINGS = {
    "csv": f"--data {SUNSPOTS} --task-set column=sunspots",
    "reber": "--model lstm --set training.epochs=20",
    "waveform": "--model clockwork --set training.epochs=100",
    "kuramoto-sivashinsky": "--set units=300 --set readout.ridge=10",
    "inspect": "--set units=50",
    "text": "--model gru --set units=64",
}
"""What else the command of a task says."""
RADII = "--vary spectral_radius=0.2:1.4:7"
RANGES = "--vary spectral_radius=0.1:1.5 --vary input_scaling=log:0.01:1"
SWEEPS = {
    "line": f"narma10 {RADII} --seeds 0:3",
    "categories": f"inspect --task-set measure=kernel_rank {RADII} --vary topology=diagonals,cycle,dense --seeds 0:2",
    "map": f"narma10 {RADII} --vary input_scaling=log:0.01:1:6",
    "axes": f"narma10 {RANGES} --vary leak_rate=0.2:1 --vary topology=cycle,dense --strategy random --trials 60",
    "search": f"narma10 {RANGES} --strategy sobol --trials 64",
}
COMPARED = {
    "narma10": "esn elman", "channel-equalization": "esn elman", "memory-capacity": "esn gru", "lorenz": "esn elman",
    "kuramoto-sivashinsky": "esn elman", "temporal-order": "esn gru", "adding": "esn gru", "reber": "esn gru", "copy": "esn gru",
    "text": "esn gru",
}  # fmt: skip
"""The models that are compared on a task of each kind of picture."""


def commands(folder: Path) -> Iterator[str]:
    """Yield the commands that draw; that of a sweep comes before that of its picture."""
    for task in [*list_tasks(), "inspect"]:
        options = "".join(f" --task-set {name}={value}" for name, value in OPTIONS.get(task, {}).items())
        yield f"run {task} {SETTINGS.get(task, '')}{options} --plot {folder}/run-{task}.png"
    for name, options in SWEEPS.items():
        yield f"sweep {options} --set units=50 --jobs 1 --store {folder}/{name}.db"
        yield f"results {folder}/{name}.db --plot {folder}/results-{name}.png"
    yield f"results {folder}/search.db --names input_scaling --plot {folder}/results-names.png"
    yield f"inspect --set units=200 --plot {folder}/inspect.png"
    yield f"gates reber --model gru --set training.epochs=20 --plot {folder}/gates.png"
    yield f"gradients temporal-order --models elman,lstm,indrnn --set training.epochs=2 --plot {folder}/gradients.png"
    shops = f"{DEMAND} --column demand --group shop --known temperature,holiday --horizon 28"
    yield f"forecast {SUNSPOTS} --column sunspots --horizon 132 --out {folder}/forecast.csv"
    yield f"forecast {shops} --out {folder}/forecast-groups.csv"
    yield f"backtest {SUNSPOTS} --column sunspots --horizon 132 --plot {folder}/backtest.png"
    yield f"backtest {shops} --plot {folder}/backtest-groups.png"


def comparisons(folder: Path) -> None:
    """Draw the three pictures of comparisons, a task for each kind of picture."""
    for name, models in COMPARED.items():
        few = {f"{model}__training__epochs": 3 for model in models.split() if model != "esn"}
        task = get_task(name, **OPTIONS.get(name, {}))
        part = compare(task, models.split(), seeds=[0, 1], settings={"units": 30, **few}).part()
        for what in part.pictures if name == "narma10" else ["predictions"]:
            part.plot(folder / f"compare-{name}-{what}.png", what)


def sheet(paths: list[Path]) -> Figure:
    """Lay pictures out, each with its name above it."""
    across, down = ON_A_SHEET
    figure = Figure(figsize=(9.0 * across, 6.2 * down), layout="constrained", dpi=75)
    for place, path in enumerate(paths):
        axes = figure.add_subplot(down, across, place + 1)
        axes.imshow(imread(path))
        axes.set_title(path.stem)
        axes.axis("off")
    return figure


def main() -> None:
    """Draw everything in this process; a command that fails is printed, and the exit status is then 1."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "pictures")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    failed = 0
    for command in commands(folder):
        outcome = CliRunner().invoke(cli, shlex.split(command))
        if outcome.exception is not None:
            print(f"reservoir {command}: {outcome.exception}")
            failed += 1
    comparisons(folder)
    drawn = sorted(folder.glob("*.png"))
    size = ON_A_SHEET[0] * ON_A_SHEET[1]
    for first in range(0, len(drawn), size):
        sheet(drawn[first : first + size]).savefig(folder / f"sheet-{first // size + 1}.png")
    print(f"{len(drawn)} pictures, {size} on a sheet: {folder}/sheet-*.png")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
