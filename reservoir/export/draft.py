"""A C header while it is put together: tables of weights, fields of the state, lines of the step, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reservoir.validation import refused

HERE = Path(__file__).parent
PRECISIONS: Mapping[str, type[np.floating]] = {"double": np.float64, "float": np.float32}
MARGIN = 124
"""Characters of a line of numbers."""


def read_template(file: str, words: Mapping[str, str], facts: Mapping[str, bool]) -> str:
    """Return C text with its words in capitals replaced. A line that ends with a fact in a comment is kept where it holds."""
    kept = list[str]()
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        start, mark, end = line.rpartition(" /* ")
        fact = end.removesuffix(" */")
        if mark and fact in facts:
            kept += [start] * facts[fact]
        else:
            kept.append(line)
    return re.sub(r"\b(NAME_|UPPER_|REAL\b|INDEX\b)", lambda match: words[match[0]], "\n".join([*kept, ""]))


class Draft:
    """The parts of the header of one model.

    Attributes
    ----------
    tables, fields, lines, starts : C text: constant arrays, members of the state, statements of the step and of the reset
    flash_bytes, ram_bytes : sizes of the tables and of the state
    multiply_adds, activations : numbers of operations per step; means, where steps differ
    output_weights : matrices (from, to) whose products with the state are the outputs
    limit : an output beyond +- it has diverged; None without output feedback
    """

    def __init__(self, name: str, precision: str, units: int) -> None:
        self.name, self.precision = name, precision
        self.dtype = np.dtype(PRECISIONS[precision])
        self.index = next(kind for kind in ("uint8", "uint16", "uint32") if units <= np.iinfo(kind).max)
        self.tables, self.fields, self.lines, self.starts = list[str](), list[str](), list[str](), list[str]()
        self.flash_bytes, self.ram_bytes = 0, 0
        self.multiply_adds, self.activations = 0.0, 0.0
        self.output_weights: list[np.ndarray] = []
        self.limit: float | None = None

    def literal(self, value: Any) -> str:
        """Return a number in decimal, as the C compiler reads it back to the same bits."""
        return str(float(value)) if self.precision == "double" else f"{np.float32(value)!s}f"

    def numbers(self, label: str, array: np.ndarray, share: float = 1.0) -> str:
        """Add a table of weights and return its name in C; "0" for an empty one. `share` is the mean share that a step uses."""
        with np.errstate(over="ignore"):
            values = array.astype(self.dtype).ravel()
        if not np.isfinite(values).all():
            raise refused("precision", "export_c", "'double' for a model with numbers beyond the range of float", "'float'")
        self.multiply_adds += share * values.size
        return self._table(self.precision, label, [self.literal(value) for value in values], values.nbytes)

    def integers(self, label: str, array: np.ndarray, kind: str = "") -> str:
        """Add a table of positions, or of integers of another NumPy type, and return its name in C."""
        values = array.astype(kind or self.index)
        return self._table(f"{values.dtype}_t", label, [str(value) for value in values], values.nbytes)

    def _table(self, kind: str, label: str, texts: list[str], size: int) -> str:
        if not texts:
            return "0"
        self.flash_bytes += size
        per_line = max(MARGIN // (max(map(len, texts)) + 2), 1)
        rows = [", ".join(texts[k : k + per_line]) for k in range(0, len(texts), per_line)]
        body = ",\n    ".join(rows)
        self.tables.append(f"static const {kind} {self.name}_{label}[{len(texts)}] = {{\n    {body}\n}};")
        return f"{self.name}_{label}"

    def field(self, label: str, size: int, counts: bool = False) -> str:
        """Add numbers to the state, or counters, and return how the step names them."""
        self.fields.append(f"{'uint32_t' if counts else self.precision} {label}[{size}];")
        self.ram_bytes += size * (4 if counts else self.dtype.itemsize)
        return f"s->{label}"

    def line(self, text: str) -> None:
        """Add a statement to the step."""
        self.lines.append(text)

    def copy(self, source: str, target: str, size: int) -> None:
        """Add the statement that copies `size` numbers."""
        self.line(f"memcpy({target}, {source}, {size} * sizeof *{target});")

    def call(self, function: str, *arguments: Any) -> None:
        """Add the call of a function of `parts.c`."""
        self.line(f"{self.name}_{function}({', '.join(map(str, arguments))});")

    def add(self, label: str, matrix: np.ndarray, source: str, target: str) -> None:
        """Add `target += source matrix` to the step, for a matrix (from, to)."""
        if matrix.size > 0:
            table = self.numbers(label, matrix)
            self.call("add", table, matrix.shape[1], source, *matrix.shape, target)

    def output(self, label: str, matrix: np.ndarray, source: str) -> None:
        """Add the product of a part of the output weights (from, to) with what it reads to the outputs `y`."""
        self.output_weights.append(matrix)
        self.add(label, matrix, source, "y")

    @property
    def words(self) -> dict[str, str]:
        """What stands for the words in capitals of the C text."""
        return {"NAME_": f"{self.name}_", "UPPER_": f"{self.name.upper()}_", "REAL": self.precision, "INDEX": f"{self.index}_t"}

    @property
    def facts(self) -> dict[str, bool]:
        """Which lines of the C text are kept."""
        return {precision: precision == self.precision for precision in PRECISIONS}

    def functions(self) -> list[str]:
        """Return the functions of `parts.c` that the step needs, directly or not, in this precision and with this name."""
        text = read_template("parts.c", self.words, self.facts)
        if self.precision == "float":
            text = re.sub(r"\b\d+\.\d+(e[-+]\d+)?", r"\g<0>f", text)
        needed, kept = "\n".join(self.lines), list[str]()
        for block in reversed(text.strip().split("\n\n")):  # a function comes after those that it calls
            [function] = re.findall(r"^static inline \w+ (\w+)\(", block, re.MULTILINE)
            if re.search(rf"\b{function}\(", needed):
                kept.insert(0, block)
                needed += block
        return kept

    def rounding(self) -> float:
        """Return the size of the error that rounding of the state alone makes in an output: a rough estimate."""
        weights = np.concatenate(self.output_weights)
        return float(np.finfo(PRECISIONS[self.precision]).eps * np.linalg.norm(weights, axis=0).max())
