"""`reservoir compare`: models side by side on tasks."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from reservoir.commands import options
from reservoir.commands.console import announce, can_draw, interrupted, print_json, progress, say
from reservoir.commands.options import NAMES, OUTPUT, Values, at_least

MODELS_HELP = "The models, as esn,lstm,package.module:Class. LABEL=MODEL enters one once more.  [default: all]"
OUT_HELP = "The folder of the report, pictures, CSV file and store. If it exists, the comparison continues where it stopped."


@click.command(short_help="Compare models on tasks.")
@click.argument("names", metavar="TASK...", nargs=-1, required=True)
@click.option("--models", type=NAMES, help=MODELS_HELP)
@options.seeds_from("0:5")
@options.assigned("--set", "settings", "Set a parameter of all models, or of one: lstm.units=40.")
@options.task_options
@click.option("--budget-parameters", "budget", type=at_least(1), help="Size every model to this number of trained weights.")
@click.option("--out", type=OUTPUT, default="comparison", show_default=True, help=OUT_HELP)
@options.JOBS
@options.RETRY
@options.NO_PLOT
@options.json_of("one JSON object per run, a line each")
@options.QUIET
def compare(
    names: tuple[str, ...], given: Values, settings: Values, seeds: list[int], out: str, no_plot: bool, as_json: bool, **rest: Any
) -> int:
    """Compare models on every TASK, with every seed, on the same data.

    Prints a table per task, and writes report.html, the pictures, and runs.csv (a row per run) to the folder. If a model
    fails with a seed, the table says so, and the other runs continue. The same command, given again, does the runs that
    are missing; one with more tasks, models or seeds does the new runs.

    \b
    reservoir compare narma10 lorenz --seeds 0:3
    reservoir compare sunspots --models esn,wide=esn --set wide.units=800
    reservoir compare mso --budget-parameters 200 --out mso-report
    """  # noqa: D301
    import shlex

    from reservoir.base.threads import thread_count
    from reservoir.comparison.folder import ComparisonFolder
    from reservoir.comparison.plan import entrants, plan_comparison
    from reservoir.comparison.report import ComparisonReport
    from reservoir.files.writing import check_folder
    from reservoir.models import MODELS
    from reservoir.validation import StoreError

    check_folder(out)
    entered = entrants(rest["models"] or list(MODELS), settings)
    planned = plan_comparison(options.tasks_with(names, **given), entered, seeds, rest["budget"])
    jobs = rest["jobs"] or thread_count()
    draws = not no_plot and can_draw("report.svg", optional=True)
    facts = {"command": shlex.join(["reservoir", *sys.argv[1:]]), "date": time.strftime("%Y-%m-%d"), "processes": str(jobs)}
    report = ComparisonReport(planned, {})
    try:
        folder = ComparisonFolder(out, facts, draws)
        folder.path.mkdir(exist_ok=True)
        with progress("", len(planned.runs), as_json) as bar:
            _run(report, folder, bar, jobs, rest["retry"])
    except StoreError as error:
        raise StoreError(f"{error} Another folder is given with --out.") from None
    except KeyboardInterrupt:
        click.echo(interrupted(out, len(report.finished)), err=True)
        return 130
    finally:  # what was finished counts, also after Ctrl-C
        if report.finished:
            _show(report, as_json)
            folder.write(report, final=True)
            pictures = "." if draws or no_plot else "; no pictures: matplotlib is not installed."
            if not as_json:
                say(f"Report written to {folder.report}{pictures}")
    return int(all(row["error"] is not None for row in report.records()))


def _run(report: Any, folder: Any, bar: Any, jobs: int, retry: bool) -> None:
    """Does the runs that the folder's store lacks; writes what is finished whenever a task is complete."""
    from reservoir.base.tables import counted
    from reservoir.comparison.work import run_comparison

    planned, found = report.plan, report.finished
    sizes = {"task": planned.tasks, "model": planned.entrants, "seed": planned.seeds}
    drawn: set[str] = set()

    def count(state: Any) -> None:
        if bar.state is None:
            before = f"; {folder.path} has {state.kept:,} of them" if state.kept else ""
            parts = ", ".join(counted(len(several), thing) for thing, several in sizes.items())
            announce(f"{counted(state.total, 'run')}: {parts}{before}.")
        bar.sweep(state, found)
        ready = {task.name for task in planned.tasks if report.is_complete(task)} - drawn
        drawn.update(ready)
        if ready and len(found) < state.total:
            folder.write(report)

    texts = dict(enumerate(map(str, planned.runs)))
    run_comparison(planned, found, folder.store, jobs, retry, bar.epochs(texts), count)


def _show(report: Any, as_json: bool) -> None:
    """Prints the finished runs as JSON, or a table per task."""
    for record in report.records() if as_json else ():
        print_json(record)
    for table in report.tables() if not as_json else ():
        say(f"{table}\n")
