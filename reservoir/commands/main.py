"""The command line: parses, calls the library, prints. Heavy imports happen inside the commands."""

from __future__ import annotations

import sys

try:
    import csv
    import io
    import os
    import shlex
    import time
    import warnings
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    import click

    from reservoir import __version__
    from reservoir.commands.console import (
        OUTPUT,
        Assignment,
        Names,
        Seeds,
        Variation,
        at_least,
        drawing,
        epoch_text,
        explanation,
        print_json,
        print_table,
        progress,
        table_width,
    )
    from reservoir.experiments.values import parse_name
except KeyboardInterrupt:  # Ctrl-C while starting
    sys.exit(130)

SET_HELP = "A parameter, as NAME=VALUE; may be repeated. Parts of a parameter as readout.ridge=1e-6."
Assignments = tuple[tuple[str, Any], ...]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, invoke_without_command=True)
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Recurrent networks on benchmark tasks and on your own time series.

    \b
    reservoir run narma10 --seeds 0:5            a benchmark, five seeds
    reservoir compare narma10 lorenz             several models side by side
    reservoir sweep narma10 --vary leak_rate=0.1:1:10    many parameters
    reservoir forecast data.csv --column price   a column of your own file
    reservoir inspect --set units=200            a reservoir before training
    reservoir gradients adding                   gradients on their way back
    """  # noqa: D301 - click reads a backspace
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command(short_help="List the tasks, or tell all about one.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per task, a line each.")
def tasks(name: str | None, as_json: bool) -> None:
    """List the tasks, or tell all about task NAME: definition, options, settings."""
    from reservoir.commands.pages import task_facts, task_page
    from reservoir.tasks import list_tasks
    from reservoir.tasks.registry import task_class

    names = [name] if name else list_tasks()
    facts = [task_facts(task_class(n)) for n in names]
    if as_json:
        for fact in facts:
            print_json(fact)
    elif name:
        click.echo(task_page(task_class(name)))
    else:
        rows = [[f["name"], f["kind"], f["summary"]] for f in facts]
        print_table("Tasks", ["name", "kind", "what it asks"], rows, ["`reservoir tasks NAME` tells all about one."])


@cli.command(short_help="List the models, or tell all about one.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per model, a line each.")
def models(name: str | None, as_json: bool) -> None:
    """List the models, or tell all about model NAME: parameters, topologies, readouts."""
    from reservoir.commands.pages import model_facts, model_page
    from reservoir.models import MODELS, model_class

    names = [name] if name else list(MODELS)
    if as_json:
        for n in names:
            print_json(model_facts(n, model_class(n)))
    elif name:
        click.echo(model_page(name, model_class(name)))
    else:
        rows = [[n, MODELS[n][2]] for n in names]
        print_table("Models", ["name", "what it is"], rows, ["`reservoir models NAME` tells its parameters."])


TASK_SETTINGS = click.option(
    "--task-set", "task_settings", type=Assignment(), multiple=True, help="A task's option, as NAME=VALUE; may be repeated."
)
DATA = click.option("--data", type=click.Path(), help="A file of your own, for tasks with the option path: csv, waveform.")
START = click.option("--start", type=float, help="Where in the file to start, for tasks with the option start: seconds.")


def tasks_with(names: Sequence[str], settings: Assignments, data: str | None, start: float | None) -> list[Any]:
    """The tasks with their options set: NAME=VALUE is for all of them, task.NAME=VALUE for one.

    `data` and `start` are for those that have the options `path` and `start`; one has to.
    """
    from dataclasses import fields

    from reservoir.tasks import get_task
    from reservoir.tasks.registry import task_class
    from reservoir.validation import ParameterError

    known = {name: {field.name for field in fields(task_class(name))} for name in names}
    chosen: dict[str, dict[str, Any]] = {name: {} for name in names}
    for option, key, value in (("--data", "path", data), ("--start", "start", start)):
        having = [name for name in names if key in known[name]]
        if value is not None and not having:
            raise ParameterError(f"{option} is for tasks with the option '{key}'; {', '.join(names)} has none.")
        for name in having if value is not None else ():
            chosen[name][key] = value
    for key, value in settings:
        first, _, rest = key.partition("__")
        for name in [first] if rest and first in chosen else names:
            chosen[name][rest if name == first and rest else key] = value
    return [get_task(name, **chosen[name]) for name in names]


@cli.command(short_help="Fit a model to a task and score it.")
@click.argument("task")
@click.option("--model", default="esn", show_default=True, help="The model; see `reservoir models`.")
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP)
@TASK_SETTINGS
@click.option("--seeds", type=Seeds(), default="0", show_default=True, help="0:5 for 0 to 4, or 0,3,7.")
@DATA
@START
@click.option("--json", "as_json", is_flag=True, help="One JSON object per seed, a line each, numbers in full precision.")
@click.option("--save", type=OUTPUT, help="Write the fitted model of the first seed to this file.")
@click.option("--plot", type=OUTPUT, help="Draw the first seed's predictions to this file (png, svg or pdf).")
def run(
    task: str,
    model: str,
    settings: Assignments,
    task_settings: Assignments,
    seeds: list[int],
    data: str | None,
    start: float | None,
    as_json: bool,
    save: str | None,
    plot: str | None,
) -> int:
    """Fit a model to TASK and score it, once per seed.

    The task's own settings for the model apply where --set says nothing; `reservoir tasks NAME` shows them. A seed with
    which the model diverges is told and left out; the exit status is 1 then.

    \b
    reservoir run narma10 --seeds 0:5
    reservoir run lorenz --set units=800 --plot lorenz.png
    reservoir run channel-equalization --task-set snr=24 --json
    reservoir run csv --data data.csv --task-set horizon=50
    """  # noqa: D301
    from reservoir.experiments.evaluation import evaluate
    from reservoir.experiments.tables import number, run_table
    from reservoir.files.writing import check_outputs, writing
    from reservoir.validation import DivergenceError

    [chosen] = tasks_with([task], task_settings, data, start)
    check_outputs(save, plot, sources=[data])
    draw = drawing(plot)
    rows: list[dict[str, Any]] = []
    try:
        with progress(task, len(seeds), as_json) as bar:
            for place, seed in enumerate(seeds):

                def epoch(record: Mapping[str, Any], epochs: int, place: int = place) -> None:
                    bar.within(f"seed {seeds[place]}: {epoch_text(record)}", place, record["epoch"] + 1, epochs)

                try:
                    result = evaluate(chosen, model, dict(settings), seed, progress=epoch if bar.shown else None)
                except DivergenceError as error:
                    click.echo(explanation(error)[0], err=True)
                    bar.step(place)
                    continue
                rows.append(result.row)
                if as_json:
                    print_json(result.row)
                if save is not None and len(rows) == 1:
                    with writing(save):
                        result.model.save(save)
                if plot is not None and len(rows) == 1:
                    title = f"{task}, {model}: {result.row['metric']} = {number(result.row['score'])}"
                    with writing(plot):
                        draw.save(draw.task_figure(chosen, result.data, result.predictions, title), plot)
                bar.step(place)
    finally:  # what was finished counts, also after Ctrl-C
        if rows and not as_json:
            print_table(*run_table(rows, chosen))
    return int(len(rows) < len(seeds))


@cli.command(short_help="Compare models on tasks.")
@click.argument("names", metavar="TASK...", nargs=-1, required=True)
@click.option("--models", type=Names(), help="The models, as esn,lstm; LABEL=MODEL enters one again.  [default: all]")
@click.option("--seeds", type=Seeds(), default="0:5", show_default=True, help="0:5 for 0 to 4, or 0,3,7.")
@click.option("--set", "settings", type=Assignment(), multiple=True, help="A parameter of all models; of one as lstm.units=40.")
@click.option("--task-set", "task_settings", type=Assignment(), multiple=True, help="A task's option, or of one as mso.terms=5.")
@click.option("--budget-parameters", "budget", type=at_least(1), help="Size every model to this number of trained weights.")
@DATA
@START
@click.option("--out", type=OUTPUT, default="comparison", show_default=True, help="Folder of the report, pictures, CSV file.")
@click.option("--jobs", type=at_least(1), help="Processes to run side by side.  [default: the number of cores]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per run, a line each, numbers in full precision.")
def compare(
    names: tuple[str, ...],
    models: list[str] | None,
    seeds: list[int],
    settings: Assignments,
    task_settings: Assignments,
    budget: int | None,
    data: str | None,
    start: float | None,
    out: str,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Compare models on every TASK, with every seed, on the same data.

    Prints a table per task, and writes a report with pictures to report.html in the folder, which also gets the pictures
    and runs.csv, a row per run. A model that fails with a seed is told in the table, and the rest goes on.

    \b
    reservoir compare narma10 lorenz --seeds 0:3
    reservoir compare sunspots --models esn,wide=esn --set wide.units=800
    reservoir compare mso --budget-parameters 200 --out mso-report
    """  # noqa: D301
    from reservoir.base.threads import thread_count
    from reservoir.comparison.folder import ComparisonFolder
    from reservoir.comparison.plan import entrants, plan
    from reservoir.comparison.work import Run, runs
    from reservoir.files.writing import check_folder
    from reservoir.models import MODELS

    check_folder(out)
    entered = entrants(models or list(MODELS), dict(settings))
    planned = plan(tasks_with(names, task_settings, data, start), entered, seeds, budget)
    jobs = jobs or thread_count()
    draw = drawing("report.svg", optional=True) is not None
    facts = {"command": shlex.join(["reservoir", *sys.argv[1:]]), "date": time.strftime("%Y-%m-%d"), "processes": str(jobs)}
    folder = ComparisonFolder(out, planned, facts, draw)
    found: dict[int, Run] = {}
    try:
        with progress("", len(planned.cells), as_json) as bar:

            def report(index: int, told: Any) -> None:
                if told is None:
                    bar.within(str(planned.cells[index]), index)
                else:
                    record, epochs = told
                    bar.within(f"{planned.cells[index]}: {epoch_text(record)}", index, record["epoch"] + 1, epochs)

            for index, result in runs(planned, jobs, report):
                found[index] = result
                bar.step(index)
                if all(k in found for k in planned.of_task(planned.cells[index].task)) and len(found) < len(planned.cells):
                    folder.write(found)
    finally:  # what was finished counts, also after Ctrl-C
        rows = [found[index].row for index in sorted(found)]
        (print_rows if as_json else print_comparison)(rows, planned.tasks)
        if rows:
            folder.finish(found)
            if not as_json:
                click.echo(f"Report written to {folder.report}{'.' if draw else '; no pictures: matplotlib is not installed.'}")
    return int(all(row["error"] is not None for row in rows))


def print_rows(rows: Sequence[Mapping[str, Any]], _: Sequence[Any]) -> None:
    """A line of JSON per run."""
    for row in rows:
        print_json(row)


def print_comparison(rows: Sequence[Mapping[str, Any]], tasks: Sequence[Any]) -> None:
    """A table per task that has any runs, an empty line after each."""
    from reservoir.comparison.work import summarize
    from reservoir.experiments.tables import comparison_table

    lines = summarize(rows)
    for task in tasks:
        of_task = [line for line in lines if line["task"] == task.name]
        if of_task:
            print_table(*comparison_table(task, of_task))
            click.echo()


def sweep_file(context: click.Context, _: click.Parameter, path: str | None) -> dict[str, Any]:
    """The tables of a sweep's file; its other options become the defaults of the command's."""
    if path is None:
        return {}
    from reservoir.sweeps.file import TABLES, read_sweep_file

    own = ("file", "vary", "settings", "task_settings")
    given = read_sweep_file(path, [str(option.name) for option in context.command.params if option.name not in own])
    context.default_map = {name: value for name, value in given.items() if name not in TABLES}
    return {name: given[name] for name in TABLES}


def over_file(file: Mapping[str, Any], vary: Assignments, settings: Assignments) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is varied and what is set: what the command line names, in either way, goes over the file."""
    varied, fixed = dict(vary), dict(settings)
    if len(varied) < len(vary):
        raise click.UsageError("--vary names a parameter twice; give all its values at once, as washout=100,200.")
    named = {**varied, **fixed}
    rest = [{name: value for name, value in file.get(table, {}).items() if name not in named} for table in ("vary", "set")]
    return {**varied, **rest[0]}, {**fixed, **rest[1]}


@cli.command(short_help="Try many parameters of a model on a task.")
@click.argument("task", required=False)
@click.option("--model", default="esn", show_default=True, help="The model; see `reservoir models`.")
@click.option(
    "--vary", type=Variation(), multiple=True, help="NAME=0.1:1.5:15, NAME=log:1e-9:1e-3:7, NAME=a,b,c; may be repeated."
)
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP)
@TASK_SETTINGS
@click.option("--seeds", type=Seeds(), default="0", show_default=True, help="0:5 for 0 to 4, or 0,3,7; each trial with each.")
@click.option("--strategy", default="grid", show_default=True, help="grid, random, sobol, tpe or cmaes.")
@click.option("--trials", type=at_least(1), help="How many sets of parameters to try, but for a grid.")
@click.option("--store", type=OUTPUT, help="The record, gone on with if it is there.  [default: TASK-MODEL.db]")
@click.option("--jobs", type=at_least(1), help="Processes to run side by side.  [default: the number of cores]")
@click.option("--scheduler", help="A Dask scheduler, as tcp://host:8786, whose workers do the work instead.")
@click.option(
    "--split", type=click.Choice(["validation", "test"]), default="validation", show_default=True, help="What to score on."
)
@click.option("--search-seed", type=at_least(0), default=0, show_default=True, help="Of random, sobol, tpe and cmaes.")
@click.option("--batch", type=at_least(1), help="Trials that tpe and cmaes propose at a time.  [default: 8]")
@click.option("--prune", is_flag=True, help="With tpe and cmaes, stop training what is worse than the median.")
@click.option("--retry", is_flag=True, help="Try again what failed.")
@DATA
@START
@click.option(
    "--file", type=click.Path(), is_eager=True, callback=sweep_file, help="All of this as a TOML file; see docs/sweeps.md."
)
def sweep(
    task: str | None,
    model: str,
    vary: Assignments,
    settings: Assignments,
    task_settings: Assignments,
    seeds: list[int],
    strategy: str,
    trials: int | None,
    store: str | None,
    jobs: int | None,
    scheduler: str | None,
    split: str,
    search_seed: int,
    batch: int | None,
    prune: bool,
    retry: bool,
    data: str | None,
    start: float | None,
    file: dict[str, Any],
) -> int:
    """Try many parameters of a model on TASK, each with every seed, and keep what comes in a store.

    The same command again does what is missing, a larger one what is new. Runs are scored on the validation split, so that
    the test split stays unseen while choosing. `reservoir results` shows more of what is in the store.

    \b
    reservoir sweep narma10 --vary leak_rate=0.1:1:10 --seeds 0:3
    reservoir sweep narma10 --vary readout.ridge=log:1e-9:1e-3:7 --jobs 2
    reservoir sweep narma10 --vary topology=cycle,dense --vary units=50,100
    reservoir sweep lorenz --vary leak_rate=0.1:1 --strategy tpe --trials 50
    reservoir sweep --file sweep.toml
    """  # noqa: D301
    from reservoir.sweeps import plan, run
    from reservoir.sweeps.report import best_command, counted, progress_text, ranking_table

    if task is None:
        raise click.UsageError("Missing argument 'TASK'.")
    store = store or f"{task}-{model}.db"
    [chosen] = tasks_with([task], (*file.get("task_set", {}).items(), *task_settings), data, start)
    varied, fixed = over_file(file, vary, settings)
    planned = plan(chosen, model, varied, fixed, seeds, strategy, trials, split, search_seed, batch, prune)
    counts = {"new": 0, "before": 0}
    try:
        with progress(task, planned.runs, False) as bar:

            def report(state: Any) -> None:
                counts.update(new=state.finished, before=state.kept)
                bar.at(state.kept + state.finished, progress_text(state), state.kept)

            table = run(planned, store, jobs=jobs, scheduler=scheduler, retry=retry, report=report)
    except KeyboardInterrupt:
        click.echo(f"Interrupted; the same command again goes on from what is in {store}.", err=True)
        return 130
    print_table(*ranking_table(table, 5, table_width()))
    told = f"{counted(counts['new'], 'new run')}, {counts['before']:,} from before"
    click.echo(f"\n{told}; `reservoir results {store}` shows more.")
    command = best_command(table)
    click.echo(f"The best on the test split, with new seeds:\n{command}" if command else "Every run failed.")
    return int(not (table.status == "done").any())


@cli.command(short_help="Show what a sweep found.")
@click.argument("store", type=click.Path())
@click.option("--top", type=at_least(1), default=10, show_default=True, help="How many trials to show, the best first.")
@click.option("--csv", "csv_file", type=OUTPUT, help="Write every run to this file.")
@click.option("--plot", type=OUTPUT, help="Draw the scores to this file: a line, a heat map or parallel coordinates.")
@click.option("--names", type=Names(), help="Which parameters to draw, of all others the best.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, numbers in full precision.")
def results(store: str, top: int, csv_file: str | None, plot: str | None, names: list[str] | None, as_json: bool) -> None:
    """Show what the sweep in STORE found: the best trials, which parameters mattered. It may still be running.

    \b
    reservoir results narma10-esn.db --top 20 --plot sweep.png
    reservoir results narma10-esn.db --plot rates.png --names leak_rate
    reservoir results narma10-esn.db --csv runs.csv
    """  # noqa: D301
    from reservoir.files.writing import check_outputs, writing
    from reservoir.sweeps.report import best_command, importance_table, ranking_table, result_json, write_csv
    from reservoir.sweeps.store import Store

    check_outputs(csv_file, plot, sources=[store])
    draw = drawing(plot)
    with Store.reading(store) as opened:
        table = opened.table()
        if csv_file is not None:
            with writing(csv_file):
                write_csv(csv_file, opened)
    if as_json:
        print_json(result_json(table, top))
    else:
        print_table(*ranking_table(table, top, table_width()))
        mattered = importance_table(table)
        if mattered:
            click.echo()
            print_table(*mattered)
        if command := best_command(table):
            click.echo(f"\nThe best on the test split, with new seeds:\n{command}")
    if plot is not None:
        figure = draw.sweep_figure(table, [parse_name(name) for name in names] if names else None)
        with writing(plot):
            draw.save(figure, plot)


@cli.command(short_help="Use a saved model on your own CSV file.")
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option("--column", help="The column, or several separated by commas; the only numeric one if not given.")
@click.option("--steps", type=at_least(1), help="Forecast so many steps past the end; without it, an output for every row.")
@click.option("--standardize", is_flag=True, help="Scale columns to mean 0 and deviation 1, and outputs back.")
@click.option("--out", type=OUTPUT, default="predictions.csv", show_default=True, help="The outputs, as CSV.")
def predict(model: str, file: str, column: str | None, steps: int | None, standardize: bool, out: str) -> None:
    """Use a MODEL that `reservoir run --save` wrote on columns of a CSV FILE.

    Models of the tasks csv and sunspots know standardized columns: for them give --standardize.

    \b
    reservoir predict wave.safetensors wave.csv --steps 100
    reservoir predict sales.safetensors sales.csv --steps 30 --standardize
    """  # noqa: D301
    from reservoir import load
    from reservoir.experiments.tables import write_rows
    from reservoir.files.writing import check_outputs, writing
    from reservoir.forecasting.saved import apply_model

    series, names = read_columns(file, column)
    check_outputs(out, sources=[file, model])
    outputs, columns = apply_model(load(model), series, names, steps, standardize)
    with writing(out):
        write_rows(out, columns, outputs, 1 if steps is None else len(series) + 1)
    click.echo(f"{len(outputs)} row{'s' * (len(outputs) > 1)} written to {out}.")


def read_columns(file: str, names: str | None) -> tuple[Any, list[str]]:
    """Columns of a CSV file and their names, the names asked for separated by commas; one that has a comma in quotes."""
    from reservoir.files.csv_file import read_csv

    return read_csv(file, [name.strip() for name in next(csv.reader([names], skipinitialspace=True))] if names else None)


@cli.command(short_help="Forecast a column of your own CSV file.")
@click.argument("file", type=click.Path())
@click.option("--column", help="The column to forecast, or several separated by commas; the only numeric one if not given.")
@click.option("--horizon", type=at_least(1), help="Steps past the end.  [default: a tenth of the rows, at most 100]")
@click.option("--holdout", type=at_least(1), help="Rows at the end to test on.  [default: the horizon]")
@click.option("--period", type=at_least(1), help="Period of the seasonal-naive forecast.  [default: estimated]")
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP + " What is not set is chosen on the data.")
@click.option("--seeds", type=Seeds(), default="0:10", show_default=True, help="One network per seed, for the band.")
@click.option("--out", type=OUTPUT, default="forecast.csv", show_default=True, help="The forecast, as CSV.")
@click.option("--plot", type=OUTPUT, help="The picture.  [default: like --out, with .png]")
@click.option("--json", "as_json", is_flag=True, help="Print the errors and the settings as one JSON object.")
def forecast(
    file: str,
    column: str | None,
    horizon: int | None,
    holdout: int | None,
    period: int | None,
    settings: Assignments,
    seeds: list[int],
    out: str,
    plot: str | None,
    as_json: bool,
) -> None:
    """Forecast a column of a CSV FILE with an ensemble of echo state networks.

    Holds out the end of the record, chooses settings on what comes before, reports the error on the hold-out beside the
    naive forecast (the last value) and the seasonal-naive one (the last period), then forecasts past the end. The band
    holds the middle 80 % of the networks' forecasts, shifted by the errors they made in the past.

    \b
    reservoir forecast sales.csv --column units --horizon 30
    reservoir forecast laser.csv --horizon 100 --plot laser.png
    """  # noqa: D301
    from reservoir.experiments.tables import forecast_json, forecast_table, write_forecast
    from reservoir.files.writing import check_outputs, writing
    from reservoir.forecasting.ensemble import candidates, forecast_record

    series, names = read_columns(file, column)
    picture = os.path.splitext(out)[0] + ".png" if plot is None else plot
    check_outputs(out, picture, sources=[file])
    draw = drawing(picture, optional=plot is None)
    with progress("choosing settings, fitting", len(candidates(dict(settings))) + 2 * len(seeds), as_json) as bar:
        result = forecast_record(series, names, horizon, holdout, period, dict(settings), seeds, bar.step)
    try:
        with writing(out):
            write_forecast(out, result)
        if draw:
            with writing(picture):
                draw.save(draw.forecast_figure(**result.figure(Path(file).name)), picture)
    finally:  # the errors count, also where a file cannot be written
        if as_json:
            print_json(forecast_json(result))
        else:
            print_table(*forecast_table(result))
    if not as_json:
        drawn = f"picture to {picture}." if draw else "no picture: matplotlib is not installed."
        click.echo(f"Forecast written to {out}, {drawn}")


@cli.command(short_help="Measure a reservoir before training.")
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP)
@click.option("--inputs", type=at_least(1), help="Number of input channels, without --file.  [default: 1]")
@click.option("--file", type=click.Path(), help="Drive the reservoir with a CSV file's column, standardized, not with noise.")
@click.option("--column", help="The column of that file.")
@click.option("--steps", type=at_least(2), help="Steps of white noise to drive it with, without --file.  [default: 2000]")
@click.option("--seed", type=at_least(0), default=0, show_default=True, help="Seed of the weights and of the noise.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, numbers in full precision.")
@click.option("--plot", type=OUTPUT, help="Draw eigenvalues, memory curve and weights to this file.")
def inspect(
    settings: Assignments,
    inputs: int | None,
    file: str | None,
    column: str | None,
    steps: int | None,
    seed: int,
    as_json: bool,
    plot: str | None,
) -> None:
    """Measure a reservoir before training: spectral radius, echo state index, Lyapunov exponent, ranks, memory.

    \b
    reservoir inspect --set units=200 --set spectral_radius=1.2
    reservoir inspect --set topology=cycle_jumps --set topology_options.jump=7
    reservoir inspect --set units=100 --file laser.csv --plot reservoir.png
    """  # noqa: D301
    from reservoir.echo.diagnostics import inspect as measure
    from reservoir.experiments.evaluation import make_model
    from reservoir.experiments.tables import inspect_table
    from reservoir.files.writing import check_outputs, writing
    from reservoir.forecasting.ensemble import standardized

    if file is None and column is not None:
        raise click.UsageError("--column names a column of --file, which is missing.")
    for option, value in (("--inputs", inputs), ("--steps", steps)):
        if file is not None and value is not None:
            raise click.UsageError(f"{option} is for noise; with --file, the reservoir is driven by the file's column.")
    check_outputs(plot, sources=[file])
    draw = drawing(plot)
    series = None if file is None else standardized(*read_columns(file, column))[0]
    reservoir = make_model("esn", dict(settings), seed).build((inputs or 1) if series is None else series.shape[1]).reservoir_
    found = measure(reservoir, seed, steps or 2000, series)
    if as_json:
        print_json(found)
    else:
        print_table(*inspect_table(found))
    if plot is not None:
        with writing(plot):
            draw.save(draw.inspect_figure(reservoir, found["memory_curve"], f"Reservoir of {reservoir.units} units"), plot)


@cli.command(short_help="Show how gradients pass through trained networks.")
@click.argument("task")
@click.option("--models", type=Names(), default="elman,lstm", show_default=True, help="Trained by gradient; as for compare.")
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP + " With training.epochs=0 untrained.")
@TASK_SETTINGS
@click.option("--seed", type=at_least(0), default=0, show_default=True, help="Seed of the data and of the weights.")
@DATA
@START
@click.option("--json", "as_json", is_flag=True, help="One JSON object per model, a line each, numbers in full precision.")
@click.option("--plot", type=OUTPUT, help="Draw the gradients, the singular values and the saturated gates to this file.")
def gradients(
    task: str,
    models: list[str],
    settings: Assignments,
    task_settings: Assignments,
    seed: int,
    data: str | None,
    start: float | None,
    as_json: bool,
    plot: str | None,
) -> None:
    """Fit models to TASK and measure how gradients pass through them: vanishing, exploding, saturated gates.

    \b
    reservoir gradients adding --plot gradients.png
    reservoir gradients reber --models lstm,gru --set training.epochs=0
    """  # noqa: D301
    from reservoir.comparison.plan import entrants
    from reservoir.experiments.evaluation import make_model, overlaid
    from reservoir.experiments.tables import gradients_table
    from reservoir.files.writing import check_outputs, writing
    from reservoir.gradient.diagnostics import gradient_diagnostics

    [chosen] = tasks_with([task], task_settings, data, start)
    entered = entrants(models, dict(settings))
    if any(entrant.name == "esn" for entrant in entered):
        raise click.UsageError("an echo state network has no gradients; `reservoir inspect` measures a reservoir.")
    check_outputs(plot, sources=[data])
    draw = drawing(plot)
    networks = [make_model(e.name, overlaid(chosen.settings(e.name), e.parameters), seed) for e in entered]
    examples = chosen.generate(seed)
    found: dict[str, Any] = {}
    with progress(task, len(entered), as_json) as bar:
        for place, (entrant, network) in enumerate(zip(entered, networks, strict=True)):

            def epoch(record: Mapping[str, Any], epochs: int, place: int = place) -> None:
                bar.within(f"{entered[place].label}: {epoch_text(record)}", place, record["epoch"] + 1, epochs)

            network.fit(examples.train.inputs, examples.train.targets, progress=epoch)
            seen = slice(0, 30)  # sequences: more change little
            found[entrant.label] = gradient_diagnostics(network, examples.train.inputs[seen], examples.train.targets[seen])
            bar.step(place)
    if as_json:
        for label, measured in found.items():
            print_json({"model": label, "task": task, "seed": seed, **measured})
    else:
        print_table(*gradients_table(task, found))
    if plot is not None:
        with writing(plot):
            draw.save(draw.gradient_figure(found, f"{task}: gradients on their way back"), plot)


def main() -> None:
    """Run a command: 0 when well, 2 with one line for bad input, 1 for a failure at run time, 130 for Ctrl-C."""
    # A closed stream says nothing; a character that the terminal's encoding lacks becomes a question mark.
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
    try:
        status = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except (click.ClickException, ValueError, OSError, RuntimeError, MemoryError, KeyboardInterrupt, click.Abort) as error:
        text, status = explanation(error)
        click.echo(text, err=True)
    if status:
        sys.exit(status)
