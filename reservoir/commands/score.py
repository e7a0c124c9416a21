"""`reservoir score`: how likely a language model finds the lines of a file."""

from __future__ import annotations

import warnings
from typing import Any

import click

from reservoir.commands.console import print_json, say
from reservoir.commands.generate import language_model_in
from reservoir.commands.options import QUIET, json_of

SHOWN = 60
"""The letters of a line that a table shows."""


@click.command(short_help="Score the lines of a file with a saved language model.")
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@json_of("one JSON object per line of the file")
@QUIET
def score(model: str, file: str, as_json: bool) -> None:
    """Score every line of a text FILE with a MODEL that `reservoir train text` wrote: log-probability and perplexity.

    Each line is read as the beginning of a text, and rank 1 is the likeliest line. Empty lines are left out. Symbols that
    the model does not know count as its symbol for the unknown, and a warning gives their number.

    \b
    reservoir score book.model sentences.txt
    reservoir score book.model sentences.txt --json
    """  # noqa: D301
    from reservoir.text.documents import read_text
    from reservoir.text.scoring import score_lines

    lines = {number: line for number, line in enumerate(read_text(file).split("\n"), 1) if line.strip()}
    loaded = language_model_in(model)
    _check_known(file, loaded.vocabulary_, "\n".join(lines.values()))
    scores = score_lines(loaded, list(lines.values()))
    order = sorted(range(len(scores)), key=lambda k: -scores[k].log_probability)
    ranks = {k: rank for rank, k in enumerate(order, 1)}
    rows: list[dict[str, Any]] = [
        {
            "line": number, "text": line, "rank": ranks[k], "log_probability": found.log_probability,
            "perplexity": found.perplexity, "bits_per_character": found.bits_per_character, "symbols": found.symbols,
        }
        for k, ((number, line), found) in enumerate(zip(lines.items(), scores, strict=True))
    ]  # fmt: skip
    if as_json:
        for row in rows:
            print_json(row)
    else:
        say(_table(file, rows, rows[order[0]]["line"]))


def _check_known(file: str, vocabulary: Any, text: str) -> None:
    """Warns of symbols that a vocabulary lacks. Raises `DataError` where these are most of the text."""
    from reservoir.text.vocabulary import UNKNOWN
    from reservoir.validation import DataError, brief

    codes, tokens = vocabulary.encode(text), vocabulary.split(text)
    strange = [token for token, code in zip(tokens, codes, strict=True) if code == UNKNOWN]
    counted = f"{len(strange):,} of {len(tokens):,} {vocabulary.tokens} are unknown to the model"
    if 2 * len(strange) > len(tokens):
        raise DataError(f"{file}: {counted}, such as {brief(strange[0])}; give a text like the one that it was trained on.")
    if strange:
        warnings.warn(f"{file}: {counted}, such as {brief(strange[0])}; all of them count as one symbol.", stacklevel=2)


def _table(file: str, rows: list[dict[str, Any]], likeliest: int) -> Any:
    from reservoir.base.tables import Table, number

    body = [
        [
            str(row["line"]), str(row["rank"]), f"{row['log_probability']:.4f}", number(row["perplexity"]), str(row["symbols"]),
            row["text"] if len(row["text"]) <= SHOWN else f"{row['text'][: SHOWN - 1]}…",
        ]
        for row in rows
    ]  # fmt: skip
    notes = [f"The likeliest line is {likeliest}."] if len(rows) > 1 else []
    columns = ["line", "rank", "log-probability", "perplexity", "symbols", "text"]
    return Table(f"{file}: natural logarithms of probabilities", columns, body, notes)
