"""The picture of a parameter sweep: scores over what was varied, and, of a search, over its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reservoir.plotting.style import finished, house_style, new_figure
from reservoir.plotting.sweeps.data import chosen_names, shown
from reservoir.plotting.sweeps.lines import many_parameters
from reservoir.plotting.sweeps.maps import two_parameters
from reservoir.plotting.sweeps.panels import history, one_parameter

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep_figure(report: Any, names: Sequence[str] | str | None = None) -> Figure:
    """The scores of a sweep: a line over one parameter, a map over two, parallel axes for more; below it, a search's progress.

    A trial is drawn at the mean over its seeds. Where other parameters vary than those drawn, a point of a line or a cell of a
    map is the best trial there, in the order of `ranking`: what the value can reach, not what it gave on average over
    settings that nobody would choose. Scores and parameters have logarithmic axes where they are spread so; dark is better.

    Parameters
    ----------
    report : a `sweeps.report.SweepReport`
    names : the parameters to draw, `readout.ridge` or `readout__ridge`; all that vary, if none are named

    Raises
    ------
    DataError
        No run has a finite score, or no parameter varies.
    ParameterError
        A name that does not vary; matplotlib is missing.
    """
    chosen = chosen_names(report.runs, names)
    rest = [name for name in report.runs.varied() if name not in chosen]
    sweep = shown(report)
    with house_style():
        many = len(chosen) > 2
        width = max(9.0, 1.5 * (len(chosen) + 1)) if many else 9.0
        figure = new_figure(sweep.title(), width=width, height=5.5 + (2.3 if sweep.is_search else 0.0))
        if sweep.is_search:
            panels = figure.subplot_mosaic("M;H", height_ratios=(2.3, 1.0))
            history(panels["H"], sweep)
            main = panels["M"]
        else:
            main = figure.add_subplot()
        if many:
            many_parameters(main, sweep, chosen)
        elif len(chosen) == 2:
            two_parameters(main, sweep, chosen, rest)
        else:
            one_parameter(main, sweep, chosen[0], rest)
        return finished(figure)
