"""The command line: parses, calls the library, prints. Heavy imports happen inside the commands."""

from __future__ import annotations

import sys

try:
    import io
    import os
    import warnings

    import click

    from reservoir import __version__
    from reservoir.commands.backtest import backtest
    from reservoir.commands.compare import compare
    from reservoir.commands.console import explanation
    from reservoir.commands.export import export
    from reservoir.commands.forecast import forecast
    from reservoir.commands.gates import gates
    from reservoir.commands.generate import generate
    from reservoir.commands.gradients import gradients
    from reservoir.commands.inspect import inspect
    from reservoir.commands.pages import models, tasks
    from reservoir.commands.predict import predict
    from reservoir.commands.results import results
    from reservoir.commands.run import run
    from reservoir.commands.score import score
    from reservoir.commands.sweep import sweep
    from reservoir.commands.train import train
except KeyboardInterrupt:  # Ctrl-C while starting
    sys.exit(130)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, invoke_without_command=True)
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Recurrent networks on benchmark tasks and on your own time series.

    \b
    reservoir run narma10 --seeds 0:5            a benchmark, five seeds
    reservoir compare narma10 lorenz             several models side by side
    reservoir sweep narma10 --vary leak_rate=0.1:1:10    many parameters
    reservoir train text --save help.model       a model of a text, which writes
    reservoir forecast data.csv --column price   a column of your own file
    reservoir backtest data.csv --column price   how well that would have gone
    reservoir inspect --set units=200            a reservoir before training
    reservoir gates reber --plot gates.png       the gates of an LSTM at work
    reservoir gradients adding                   gradients on their way back
    """  # noqa: D301 - click reads a backspace
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


COMMANDS = (
    tasks, models, run, train, compare, sweep, results, predict, generate, score, export, forecast, backtest, inspect, gates,
    gradients,
)  # fmt: skip
for command in COMMANDS:
    cli.add_command(command)


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
