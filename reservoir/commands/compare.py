"""`reservoir compare`: models side by side on tasks."""

from __future__ import annotations

import shlex
import sys
import time
from typing import Any

import click

from reservoir.commands import options
from reservoir.commands.console import can_draw, print_json, progress
from reservoir.commands.options import NAMES, OUTPUT, Values, at_least

MODELS_HELP = "The models, as esn,lstm,package.module:Class. LABEL=MODEL enters one once more.  [default: all]"
OUT_HELP = "The folder of the report, pictures and CSV file."


@click.command(short_help="Compare models on tasks.")
@click.argument("names", metavar="TASK...", nargs=-1, required=True)
@click.option("--models", type=NAMES, help=MODELS_HELP)
@options.seeds_from("0:5")
@options.assigned("--set", "settings", "Set a parameter of all models, or of one: lstm.units=40.")
@options.task_options
@click.option("--budget-parameters", "budget", type=at_least(1), help="Size every model to this number of trained weights.")
@click.option("--out", type=OUTPUT, default="comparison", show_default=True, help=OUT_HELP)
@options.JOBS
@options.json_of("one JSON object per run, a line each")
def compare(
    names: tuple[str, ...], given: Values, settings: Values, seeds: list[int], out: str, as_json: bool, **rest: Any
) -> int:
    """Compare models on every TASK, with every seed, on the same data.

    Prints a table per task, and writes report.html, the pictures, and runs.csv (a row per run) to the folder. If a model
    fails with a seed, the table says so, and the other runs continue.

    \b
    reservoir compare narma10 lorenz --seeds 0:3
    reservoir compare sunspots --models esn,wide=esn --set wide.units=800
    reservoir compare mso --budget-parameters 200 --out mso-report
    """  # noqa: D301
    from reservoir.base.threads import thread_count
    from reservoir.comparison.folder import ComparisonFolder
    from reservoir.comparison.plan import entrants, plan_comparison
    from reservoir.comparison.report import ComparisonReport
    from reservoir.comparison.work import run_comparison
    from reservoir.files.writing import check_folder
    from reservoir.models import MODELS

    check_folder(out)
    entered = entrants(rest["models"] or list(MODELS), settings)
    planned = plan_comparison(options.tasks_with(names, **given), entered, seeds, rest["budget"])
    jobs = rest["jobs"] or thread_count()
    draws = can_draw("report.svg", optional=True)
    facts = {"command": shlex.join(["reservoir", *sys.argv[1:]]), "date": time.strftime("%Y-%m-%d"), "processes": str(jobs)}
    found = dict[int, Any]()
    folder, report = ComparisonFolder(out, facts, draws), ComparisonReport(planned, found)
    try:
        with progress("", len(planned.runs), as_json) as bar:
            for index, result in run_comparison(planned, jobs, bar.epochs(dict(enumerate(map(str, planned.runs))))):
                found[index] = result
                bar.step(index)
                if report.is_complete(planned.runs[index].task) and len(found) < len(planned.runs):
                    folder.write(report)
    finally:  # what was finished counts, also after Ctrl-C
        for record in report.records() if as_json else ():
            print_json(record)
        for table in report.tables() if not as_json else ():
            click.echo(f"{table}\n")
        if found:
            folder.write(report, final=True)
        if found and not as_json:
            click.echo(f"Report written to {folder.report}{'.' if draws else '; no pictures: matplotlib is not installed.'}")
    return int(all(row["error"] is not None for row in report.records()))
