"""`reservoir generate`: a language model writes."""

from __future__ import annotations

import re
from typing import Any

import click
from click.core import ParameterSource

from reservoir.commands.options import at_least, seed_of

ESCAPES = {r"\n": "\n", r"\t": "\t", r"\\": "\\"}
OF_SAMPLES = ("temperature", "top", "samples", "seed")
"""The options that a search for the likeliest text has no use for."""


def with_escapes(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    r"""Returns a text in which \n is the end of a line, \t a tab and \\ a backslash; None where there is none."""
    return None if text is None else re.sub(r"\\[nt\\]", lambda found: ESCAPES[found[0]], text)


@click.command(short_help="Write text with a saved language model.")
@click.argument("model", type=click.Path())
@click.option("--prefix", default="", callback=with_escapes, help="The beginning, which the model continues.")
@click.option("--length", type=int, default=200, show_default=True, help="The most symbols to write.")
@click.option("--temperature", type=float, default=1.0, show_default=True, help="Below 1 likely symbols become likelier still.")
@click.option("--top", type=int, help="Draw among this many of the likeliest symbols.  [default: all]")
@click.option("--until", callback=with_escapes, help=r"Stop after this text, such as '\n' for the end of a line.")
@click.option("--samples", type=at_least(1), default=1, show_default=True, help="The number of texts.")
@click.option("--beam", type=int, help="Search the likeliest text instead, with this many kept at each length.")
@click.option(
    "--unknown", type=click.Choice(["refuse", "skip"]), default="refuse", show_default=True,
    help="What becomes of symbols in the prefix that the model does not know.",
)  # fmt: skip
@seed_of("the first text; each further one has the next")
@click.pass_context
def generate(
    context: click.Context, /, model: str, prefix: str, length: int, until: str | None, beam: int | None, **rest: Any
) -> None:
    """Continue a text with a MODEL that `reservoir train text` wrote, printed as it is written.

    In --prefix and --until, \\n is the end of a line.

    \b
    reservoir generate book.model --prefix "ROMEO:\\n" --temperature 0.8 --top 40
    reservoir generate book.model --prefix "To be" --until "\\n" --samples 3
    reservoir generate book.model --prefix "To be" --until "\\n" --beam 8
    """  # noqa: D301
    from reservoir.language.generation import generate, likeliest

    given = [name for name in OF_SAMPLES if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if beam is not None and given:
        raise click.UsageError(f"--beam searches the one likeliest text, and --{given[0]} is for drawn ones; give one of them.")
    loaded, skips = language_model_in(model), rest["unknown"] == "skip"
    if beam is not None:
        text, log_probability = likeliest(loaded, prefix, length, beam, until, skips)
        click.echo(f"{prefix}{text.removesuffix(chr(10))}")
        click.echo(f"The natural logarithm of its probability is {log_probability:.4f}.", err=True)
        return
    count, seed = rest["samples"], rest["seed"]
    for sample in range(count):
        pieces = generate(loaded, prefix, length, rest["temperature"], rest["top"], until, seed + sample, skips)
        if count > 1:
            click.echo(f"{chr(10) * (sample > 0)}--- {sample + 1} of {count}, seed {seed + sample}")
        click.echo(prefix, nl=False)
        last = prefix
        for piece in pieces:
            click.echo(piece, nl=False)
            last = piece or last
        click.echo("" if last.endswith("\n") else "\n", nl=False)


def language_model_in(path: str) -> Any:
    """Returns the language model in a file. Raises `ModelFileError` for a file that holds another model."""
    from reservoir import load
    from reservoir.validation import ModelFileError

    model = load(path)
    if not hasattr(model, "vocabulary_"):
        about = f"{path}: holds an {type(model).__name__}, no language model, and `reservoir predict` applies it;"
        raise ModelFileError(f"{about} `reservoir train text --save FILE` writes a language model.")
    return model
