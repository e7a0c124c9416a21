"""The command line: parses, calls the library, prints. Heavy imports happen inside the commands."""

from __future__ import annotations

import sys

try:
    import ast
    import csv
    import errno
    import io
    import json
    import os
    import warnings
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager
    from importlib.util import find_spec
    from pathlib import Path
    from typing import Any

    import click

    from reservoir import __version__
except KeyboardInterrupt:  # Ctrl-C while starting
    sys.exit(130)

SET_HELP = "A parameter, as NAME=VALUE; may be repeated. Parts of a parameter as readout.ridge=1e-6."
OUTPUT = click.Path(readable=False)


class Assignment(click.ParamType):
    """NAME=VALUE, the value a Python literal, or else text; a dot in the name addresses a part."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """(name, value) of an assignment."""
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            self.fail(f"must be NAME=VALUE. Got {value!r} instead.", param, ctx)
        return name.strip().replace(".", "__"), parse_value(text.strip())


def parse_value(text: str) -> Any:
    """A Python literal; true, false and none in any case; a list of words; or the text itself."""
    words: dict[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return [parse_value(part.strip()) for part in text.split(",")] if "," in text else text
    return list(value) if isinstance(value, tuple) else value


class Seeds(click.ParamType):
    """0:5 for 0 to 4, 0,3,7 for these, or one number."""

    name = "SEEDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """The seeds as a list, none twice."""
        if isinstance(value, list):
            return value
        seeds: list[int] = []
        try:
            for part in value.split(","):
                start, colon, stop = part.partition(":")
                seeds += range(int(start), int(stop)) if colon else [int(start)]
        except ValueError:
            seeds = []
        if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
            self.fail(f"must be like 0:5, 0,3,7 or 4, integers in [0, inf), none twice. Got {value!r} instead.", param, ctx)
        return seeds


def at_least(low: int) -> click.IntRange:
    """The type of an integer option."""
    kind = click.IntRange(low)
    kind.name = "integer"
    return kind


@contextmanager
def progress(label: str, total: int, as_json: bool) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr, if that is a terminal and no JSON goes there too; yields what to call after each step."""
    if not sys.stderr.isatty() or total < 2 or (as_json and sys.stdout.isatty()):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def print_table(title: str, columns: list[str], rows: list[list[str]], notes: list[str]) -> None:
    """A table on stdout and lines beneath it; as wide as the terminal, or 160 where there is none."""
    from shutil import get_terminal_size

    from reservoir.reporting import table_text

    click.echo(table_text(title, columns, rows, notes, get_terminal_size((160, 0)).columns))


def print_json(value: Any) -> None:
    """One line of JSON, at once; arrays as lists, numbers that are not finite as null."""
    from reservoir.reporting import as_json

    click.echo(json.dumps(as_json(value)))
    sys.stdout.flush()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, invoke_without_command=True)
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Echo state networks on benchmark tasks and on your own time series.

    \b
    reservoir run narma10 --seeds 0:5            a benchmark, five seeds
    reservoir forecast data.csv --column price   a column of your own file
    reservoir inspect --set units=200            a reservoir before training
    """  # noqa: D301 - click reads a backspace
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command(short_help="List the tasks, or tell all about one.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per task, a line each.")
def tasks(name: str | None, as_json: bool) -> None:
    """List the tasks, or tell all about task NAME: definition, options, settings."""
    from reservoir.reporting import task_facts, task_page
    from tasks import list_tasks
    from tasks.registry import task_class

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
    from reservoir.models import MODELS, model_class
    from reservoir.reporting import model_facts, model_page

    names = [name] if name else list(MODELS)
    if as_json:
        for n in names:
            print_json(model_facts(n, model_class(n)))
    elif name:
        click.echo(model_page(name, model_class(name)))
    else:
        rows = [[n, MODELS[n][2]] for n in names]
        print_table("Models", ["name", "what it is"], rows, ["`reservoir models NAME` tells its parameters."])


@cli.command(short_help="Fit a model to a task and score it.")
@click.argument("task")
@click.option("--model", default="esn", show_default=True, help="The model; see `reservoir models`.")
@click.option("--set", "settings", type=Assignment(), multiple=True, help=SET_HELP)
@click.option(
    "--task-set", "task_settings", type=Assignment(), multiple=True, help="A task's option, as NAME=VALUE; may be repeated."
)
@click.option("--seeds", type=Seeds(), default="0", show_default=True, help="0:5 for 0 to 4, or 0,3,7.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per seed, a line each, numbers in full precision.")
@click.option("--save", type=OUTPUT, help="Write the fitted model of the first seed to this file.")
@click.option("--plot", type=OUTPUT, help="Draw the first seed's predictions to this file (png, svg or pdf).")
def run(
    task: str,
    model: str,
    settings: tuple[tuple[str, Any], ...],
    task_settings: tuple[tuple[str, Any], ...],
    seeds: list[int],
    as_json: bool,
    save: str | None,
    plot: str | None,
) -> None:
    """Fit a model to TASK and score it, once per seed.

    The task's own settings for the model apply where --set says nothing; `reservoir tasks NAME` shows them.

    \b
    reservoir run narma10 --seeds 0:5
    reservoir run lorenz --set units=800 --plot lorenz.png
    reservoir run channel-equalization --task-set snr=24 --json
    reservoir run csv --task-set path=data.csv --task-set horizon=50
    """  # noqa: D301
    from reservoir.evaluation import evaluate
    from reservoir.outputs import check_outputs, writing
    from reservoir.reporting import number, run_table
    from tasks import get_task

    chosen = get_task(task, **dict(task_settings))
    check_outputs(save, plot)
    draw = drawing(plot)
    rows = []
    try:
        with progress(task, len(seeds), as_json) as step:
            for seed in seeds:
                result = evaluate(chosen, model, dict(settings), seed)
                rows.append(result.row)
                if as_json:
                    print_json(result.row)
                if save is not None and seed == seeds[0]:
                    with writing(save):
                        result.model.save(save)
                if plot is not None and seed == seeds[0]:
                    title = f"{task}, {model}: {result.row['metric']} = {number(result.row['score'])}"
                    with writing(plot):
                        draw.save(draw.task_figure(chosen, result.data, result.predictions, title), plot)
                step()
    finally:  # what was finished counts, also after Ctrl-C
        if rows and not as_json:
            print_table(*run_table(rows, chosen))


def drawing(path: str | None, optional: bool = False) -> Any:
    """The plotting module, having checked that it can draw what the path asks for; None without a path.

    None too where a picture is `optional` and matplotlib is missing.
    """
    if path is None or (optional and find_spec("matplotlib") is None):
        return None
    from reservoir import plotting

    plotting.check(path)
    return plotting


def read_columns(file: str, names: str | None) -> tuple[Any, list[str]]:
    """Columns of a CSV file and their names, the names asked for separated by commas; one that has a comma in quotes."""
    from tasks.csv_file import read_csv

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
    settings: tuple[tuple[str, Any], ...],
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
    from reservoir.forecasting import candidates, forecast_record
    from reservoir.outputs import check_outputs, writing
    from reservoir.reporting import forecast_json, forecast_table, write_forecast

    series, names = read_columns(file, column)
    picture = os.path.splitext(out)[0] + ".png" if plot is None else plot
    check_outputs(out, picture, source=file)
    draw = drawing(picture, optional=plot is None)
    with progress("choosing settings, fitting", len(candidates(dict(settings))) + 2 * len(seeds), as_json) as step:
        result = forecast_record(series, names, horizon, holdout, period, dict(settings), seeds, step)
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
@click.option("--inputs", type=at_least(1), default=1, show_default=True, help="Number of input channels, without --file.")
@click.option("--file", type=click.Path(), help="Drive the reservoir with a CSV file's column, standardised, not with noise.")
@click.option("--column", help="The column of that file.")
@click.option("--steps", type=at_least(2), default=2000, show_default=True, help="Steps of white noise to drive it with.")
@click.option("--seed", type=at_least(0), default=0, show_default=True, help="Seed of the weights and of the noise.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, numbers in full precision.")
@click.option("--plot", type=OUTPUT, help="Draw eigenvalues, memory curve and weights to this file.")
def inspect(
    settings: tuple[tuple[str, Any], ...],
    inputs: int,
    file: str | None,
    column: str | None,
    steps: int,
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
    from reservoir.evaluation import make_model
    from reservoir.forecasting import standardised
    from reservoir.outputs import check_outputs, writing
    from reservoir.reporting import inspect_table

    if file is None and column is not None:
        raise click.UsageError("--column names a column of --file, which is missing.")
    check_outputs(plot, source=file)
    draw = drawing(plot)
    series = None if file is None else standardised(*read_columns(file, column))[0]
    reservoir = make_model("esn", dict(settings), seed).build(inputs if series is None else series.shape[1]).reservoir_
    found = measure(reservoir, seed, steps, series)
    if as_json:
        print_json(found)
    else:
        print_table(*inspect_table(found))
    if plot is not None:
        with writing(plot):
            draw.save(draw.inspect_figure(reservoir, found["memory_curve"], f"Reservoir of {reservoir.units} units"), plot)


def main() -> None:
    """Run a command: 0 when well, 2 with one line for bad input, 1 for a failure at run time, 130 for Ctrl-C."""
    # A closed stream says nothing; a character that the terminal's encoding lacks becomes a question mark.
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
    try:
        cli.main(standalone_mode=False)
        sys.stdout.flush()
    except (click.ClickException, ValueError, OSError, RuntimeError, MemoryError, KeyboardInterrupt, click.Abort) as error:
        text, status = explanation(error)
        click.echo(text, err=True)
        sys.exit(status)


def explanation(error: BaseException) -> tuple[str, int]:
    """The line that tells of an error, and the exit status. An unforeseen error is raised again."""
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "Interrupted; what was finished is kept.", 130
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        return f"Error: {error.format_message()}" + (f" See {context.command_path} --help." if context else ""), 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"Error: {where}{error.strerror or error}", 1 if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) else 2
    if isinstance(error, MemoryError):
        return f"Error: not enough memory ({error}); use fewer units or a shorter series.", 1
    from reservoir.validation import DataError, DivergenceError, ModelFileError, ParameterError

    if isinstance(error, (ParameterError, DataError, ModelFileError)):
        return f"Error: {error}", 2
    if isinstance(error, DivergenceError):
        return f"Error: {error}", 1
    raise error


if __name__ == "__main__":
    main()
