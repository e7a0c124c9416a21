"""`reservoir compare`: models side by side on tasks."""

from __future__ import annotations

import shlex
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from reservoir.commands.console import drawing, print_json, print_table, progress
from reservoir.commands.options import DATA, JOBS, OUTPUT, START, Names, assigned, at_least, json_of, seeds_from, tasks_with

if TYPE_CHECKING:
    from reservoir.comparison.report import ComparisonReport


@click.command(short_help="Compare models on tasks.")
@click.argument("names", metavar="TASK...", nargs=-1, required=True)
@click.option(
    "--models",
    type=Names(),
    help="The models, as esn,lstm,package.module:Class. LABEL=MODEL enters one once more.  [default: all]",
)
@seeds_from("0:5")
@assigned("--set", "settings", "Set a parameter of all models, or of one: lstm.units=40.")
@assigned("--task-set", "task_settings", "Set an option of all tasks, or of one: mso.terms=5.")
@click.option("--budget-parameters", "budget", type=at_least(1), help="Size every model to this number of trained weights.")
@DATA
@START
@click.option(
    "--out", type=OUTPUT, default="comparison", show_default=True, help="The folder of the report, pictures and CSV file."
)
@JOBS
@json_of("one JSON object per run, a line each")
def compare(
    names: tuple[str, ...],
    models: list[str] | None,
    seeds: list[int],
    settings: dict[str, Any],
    task_settings: dict[str, Any],
    budget: int | None,
    data: str | None,
    start: float | None,
    out: str,
    jobs: int | None,
    as_json: bool,
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
    from reservoir.comparison.report import ComparisonReport, FinishedRun
    from reservoir.comparison.work import run_comparison
    from reservoir.files.writing import check_folder
    from reservoir.models import MODELS

    check_folder(out)
    entered = entrants(models or list(MODELS), settings)
    planned = plan_comparison(tasks_with(names, task_settings, data, start), entered, seeds, budget)
    jobs = jobs or thread_count()
    draw = drawing("report.svg", optional=True) is not None
    facts = {"command": shlex.join(["reservoir", *sys.argv[1:]]), "date": time.strftime("%Y-%m-%d"), "processes": str(jobs)}
    folder = ComparisonFolder(out, facts, draw)
    found: dict[int, FinishedRun] = {}
    try:
        with progress("", len(planned.runs), as_json) as bar:
            for index, result in run_comparison(planned, jobs, bar.parts(list(map(str, planned.runs)))):
                found[index] = result
                bar.step(index)
                so_far = ComparisonReport(planned, found)
                if so_far.is_complete(planned.runs[index].task) and len(found) < len(planned.runs):
                    folder.write(so_far)
    finally:  # what was finished counts, also after Ctrl-C
        finished = ComparisonReport(planned, found)
        (print_rows if as_json else print_comparison)(finished)
        if found:
            folder.finish(finished)
            if not as_json:
                click.echo(f"Report written to {folder.report}{'.' if draw else '; no pictures: matplotlib is not installed.'}")
    return int(all(row["error"] is not None for row in finished.rows))


def print_rows(report: ComparisonReport) -> None:
    """A line of JSON per run."""
    for row in report.records():
        print_json(row)


def print_comparison(report: ComparisonReport) -> None:
    """A table per task that has any runs, an empty line after each."""
    for table in report.tables():
        print_table(table)
        click.echo()
