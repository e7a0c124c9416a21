"""Pictures of what models do, drawn with matplotlib, which is imported when the first one is asked for.

Every function gives a `matplotlib.figure.Figure`, without pyplot, windows or global state, and `save` writes it to a file:

    figure = plotting.task_figure(task, data, predictions, "narma10: ESN with 200 units, nmse = 0.039")
    plotting.save(figure, "narma10.svg")
"""

from reservoir.plotting.anomalies import anomaly_figure
from reservoir.plotting.forecasts import backtest_figure, forecast_figure
from reservoir.plotting.models.comparison import learning_figure, score_figure
from reservoir.plotting.models.diagnostics import gradient_figure, inspect_figure
from reservoir.plotting.models.gates import gates_figure
from reservoir.plotting.style import check, kept, save
from reservoir.plotting.sweeps.figure import sweep_figure
from reservoir.plotting.tasks.figure import PICTURES, Picture, overlay_figure, task_figure
from reservoir.plotting.tasks.series import Overlay

__all__ = [
    "PICTURES", "Overlay", "Picture", "anomaly_figure", "backtest_figure", "check", "forecast_figure", "gates_figure",
    "gradient_figure", "inspect_figure", "kept", "learning_figure", "overlay_figure", "save", "score_figure", "sweep_figure",
    "task_figure",
]  # fmt: skip
