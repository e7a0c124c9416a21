"""Pictures of new rows and the bands that were expected for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reservoir.plotting.forecasts import MOST_PANELS, dated, legend_beneath, panel_grid
from reservoir.plotting.style import ERROR, MODEL, TRUTH, finished, house_style, limits, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@house_style()
def anomaly_figure(report: Any, title: str | None = None) -> Figure:
    """Draw the new rows of every series over the band expected for them, and mark those outside it; at most twelve series.

    Parameters
    ----------
    report : a `forecasting.anomalies.AnomalyReport`
    title : of the figure, such as the name of the file, before what was found

    Raises `ParameterError` when matplotlib is missing.
    """
    panels = [(one, k) for one in report.groups for k in range(len(one.names))][:MOST_PANELS]
    records = report.records()
    outside, rows = sum(r["outside"] for r in records), sum(r["rows"] for r in records)
    level = report.groups[0].level
    found = f"{outside} of {rows} new rows outside the {level:g} % band"
    about = f"{100.0 - level:.3g} % are expected by chance, {rows * (1.0 - level / 100.0):.3g} rows"
    if len(panels) < len(records):
        about += f"; the first {len(panels)} of {len(records)} series"
    heading = f"{title}: {found}\n{about}" if title else f"{found}\n{about}"
    figure, grid = panel_grid(heading, len(panels))
    for axes, (one, k), record in zip(grid, panels, records, strict=False):
        places, values, marked = one.places, one.values[:, k], one.outside[:, k]
        axes.fill_between(places, one.lower[:, k], one.upper[:, k], color=MODEL, alpha=0.2, linewidth=0.0,
                          label=f"{one.level:g} % band")  # fmt: skip
        axes.plot(places, one.forecast[:, k], color=MODEL, linewidth=1.0, label="forecast")
        few = {"marker": "o", "markersize": 2.5} if len(values) <= 60 else {}
        axes.plot(places, values, color=TRUTH, linewidth=1.1, label="new rows", **few)
        axes.plot(places[marked], values[marked], color=ERROR, marker="o", linestyle="none", markersize=5.0, label="outside")
        there = values[~np.isnan(values)]
        axes.set_ylim(limits(there, one.lower[:, k], one.upper[:, k], reach=1.0))
        axes.margins(x=0.02)
        dated(axes, places)
        axes.set_ylabel(plain(one.names[k]))
        if len(panels) > 1:
            name = one.names[k] if one.group is None else f"{one.group}: {one.names[k]}"
            axes.set_title(plain(f"{name}, {record['outside']} of {record['rows']} outside"))
    legend_beneath(figure, grid[0])
    return finished(figure)
