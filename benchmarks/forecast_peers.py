"""Forecasts of statsforecast's automatic methods, for benchmarks/forecasts.py, which runs this in an environment of its own.

    PYTHON benchmarks/forecast_peers.py TASKS.json RESULTS.json

TASKS.json is a list of objects: `history`, `horizon`, `season`, `seasons` (of MSTL) and `methods`. RESULTS.json has an
object for each, by method: `mean`, and of AutoETS `lower` and `upper`, each by level. It imports nothing of this project.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from statsforecast.models import MSTL, AutoARIMA, AutoETS, AutoTheta

LEVELS = [80, 95]
MODELS = {
    "AutoETS": lambda task: AutoETS(season_length=task["season"]),
    "AutoTheta": lambda task: AutoTheta(season_length=task["season"]),
    "AutoARIMA": lambda task: AutoARIMA(season_length=task["season"]),
    "MSTL": lambda task: MSTL(season_length=task["seasons"]),
}


def forecasts(task: dict[str, Any]) -> dict[str, Any]:
    """The forecasts of every method of a task; of AutoETS with bands."""
    warnings.simplefilter("ignore")
    found: dict[str, Any] = {}
    for method in task["methods"]:
        start = time.process_time()
        levels = LEVELS if method == "AutoETS" else None
        result = MODELS[method](task).forecast(y=np.array(task["history"]), h=task["horizon"], level=levels)
        found[method] = {"mean": result["mean"].tolist(), "seconds": time.process_time() - start}
        if levels:
            for side, key in (("lower", "lo"), ("upper", "hi")):
                found[method][side] = {str(level): result[f"{key}-{level}"].tolist() for level in levels}
    return found


if __name__ == "__main__":
    tasks = json.loads(Path(sys.argv[1]).read_text())
    with ProcessPoolExecutor(2) as pool:
        results = []
        for number, result in enumerate(pool.map(forecasts, tasks), start=1):
            results.append(result)
            print(f"\rpeers: {number} of {len(tasks)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    Path(sys.argv[2]).write_text(json.dumps(results))
