"""What a sweep varies: one dimension per parameter, given as text or plain data, and the points they span.

    0.1:1.5:15          15 numbers, evenly spaced, both ends among them
    log:1e-9:1e-3:7     7 numbers, evenly spaced on a logarithmic scale
    0.1:1.5             any number between (integers for a parameter that takes them); for searches only
    log:50:800          the same on a logarithmic scale
    tanh,relu           these values, whatever they are

As data, a range is {"start": 0.1, "stop": 1.5, "count": 15, "log": False}, and choices are a list or an array. The texts above
work there, too.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np

from reservoir.base.values import canonical, parse_value, shown_name
from reservoir.validation import Number, ParameterError, brief, nearest

Point = dict[str, Any]
"""Values by the names of parameters, nested ones as `readout__ridge`."""

RANGE = re.compile(r"(?![\[({'\"])(?P<log>log:)?(?P<start>[^:]*):(?P<stop>[^:]*)(?::(?P<count>[^:]*))?")
RANGE_PARTS = {
    "start": (Number(), "a finite number"),
    "stop": (Number(), "a finite number"),
    "count": (Number(low=1, high=100_000, integer=True, optional=True), "an integer in [1, 100000]"),
}
DIGITS = 12
"""Significant digits of the numbers within a logarithmic range, so that grids which meet share values."""


@dataclass(frozen=True)
class Dimension:
    """A parameter and the values it may take."""

    name: str
    values: tuple[Any, ...] = ()  # all of them; empty for a range without a count, which has ends instead
    low: float = 0.0
    high: float = 0.0
    log: bool = False  # whether a range is even on a logarithmic scale
    integer: bool = False  # whether a range without a count is of integers
    ordered: bool = False  # whether the values are those of a range, so that neighbors are alike

    def samples(self) -> Sequence[Any]:
        """Return the values to check before the sweep starts: all of a list, or the ends of a range."""
        if not self.values:
            return self.low, self.high
        return (self.values[0], self.values[-1]) if self.ordered else self.values

    def at(self, u: float) -> Any:
        """Return the value at u in [0, 1); for a uniform u all values are equally likely."""
        if self.values:
            return self.values[int(u * len(self.values))]
        low, high = self.low, self.high + self.integer
        value = math.exp(math.log(low) + u * (math.log(high) - math.log(low))) if self.log else low + u * (high - low)
        if self.integer:
            return min(max(math.floor(value), int(self.low)), int(self.high))  # exp(log(5)) is below 5
        return min(max(value, self.low), self.high) if self.log else value


def read_dimension(name: str, given: Any, integer: bool | None) -> Dimension:
    """Read a dimension from text, a list or array of choices, a range as a mapping, or a single value.

    `integer` says whether the parameter takes integers only; None where that is not known. Raises `ParameterError` for what
    cannot be read, a range that does not rise, a log range through zero, a count outside [1, 100000], and a value twice.

    >>> read_dimension("leak_rate", "log:0.01:1:3", integer=False).values
    (0.01, 0.1, 1.0)
    """
    if isinstance(given, str) and (found := RANGE.fullmatch(given.strip())):
        parts = {key: parse_value(text.strip()) for key, text in found.groupdict().items() if text is not None and key != "log"}
        given = {**parts, "log": found["log"] is not None}
    if isinstance(given, Mapping):
        return _range(name, given, integer)
    value = without_numpy(parse_value(given) if isinstance(given, str) else given)
    values = tuple(_plain(name, v) for v in (value if isinstance(value, list) else [value]))
    if not values:
        _refuse(name, "there are no values to choose from.")
    seen: set[str] = set()
    for value in values:
        if canonical(value) in seen:
            _refuse(name, f"the value {brief(value)} is there twice.")
        seen.add(canonical(value))
    return Dimension(name, values)


def _refuse(name: str, text: str) -> NoReturn:
    raise ParameterError(f"vary {shown_name(name)}: {text}")


def _range(name: str, given: Mapping[str, Any], integer: bool | None) -> Dimension:
    """Read a range from a mapping of its ends, count and scale."""
    start, stop, count, log = _range_parts(name, given)
    whole = all(float(end).is_integer() for end in (start, stop))
    for wrong, text in (
        (start > stop or (start == stop and count != 1), "the range must rise."),
        (log and start <= 0, "a log range must lie above 0."),
        (not math.isfinite(float(stop) - float(start)), "the range is too wide."),
        (integer and not whole, "takes integers; the ends of the range must be such."),
    ):
        if wrong:
            _refuse(name, f"{text} Got {brief(start)} to {brief(stop)} instead.")
    if count is None:
        integer = isinstance(start, int) and isinstance(stop, int) if integer is None else integer
        low, high = (int(start), int(stop)) if integer else (float(start), float(stop))
        return Dimension(name, low=low, high=high, log=log, integer=integer, ordered=True)
    values: list[Any] = _spaced(float(start), float(stop), count, log)
    if integer is None:
        integer = whole and isinstance(start, int) and all(v.is_integer() for v in values)
    if integer:  # numbers that round to the same integer count once
        values = list(dict.fromkeys(round(v) for v in values))
    elif any(b <= a for a, b in itertools.pairwise(values)):
        _refuse(name, f"the range is too narrow for {count} values. Got {brief(start)} to {brief(stop)} instead.")
    return Dimension(name, tuple(values), log=log, ordered=True)


def _range_parts(name: str, given: Mapping[str, Any]) -> tuple[Any, Any, int | None, bool]:
    """Return the start, stop, count and log of a range; raise `ParameterError` for one of a wrong type."""
    known = (*RANGE_PARTS, "log")
    for key in given:
        if key not in known:
            _refuse(name, f"a range has no '{key}'.{nearest(str(key), known)} Known: {', '.join(known)}.")
    start, stop, count, log = parts = [without_numpy(given.get(key)) for key in known]
    for (key, (constraint, text)), value in zip(RANGE_PARTS.items(), parts, strict=False):
        if not constraint.accepts(value):
            _refuse(name, f"'{key}' must be {text}. Got {brief(value)} instead.")
    if not isinstance(log, (bool, type(None))):
        _refuse(name, f"'log' must be true or false. Got {brief(log)} instead.")
    return start, stop, count, bool(log)


def _spaced(start: float, stop: float, count: int, log: bool) -> list[float]:
    """Return evenly spaced numbers, as 0.3 and not 0.30000000000000004, so that grids which meet share values."""
    if log:
        inner = [float(f"{v:.{DIGITS}g}") for v in np.geomspace(start, stop, count)[1:-1]]
    else:
        ends, steps = (Fraction(str(start)), Fraction(str(stop))), count - 1
        scale = math.lcm(*(end.denominator for end in ends))
        first, last = (int(end * scale) for end in ends)
        inner = [(first * (steps - k) + last * k) / (scale * steps) for k in range(1, steps)]  # of integers, rounded once
    return [start, *inner, stop][:count]


def without_numpy(value: Any) -> Any:
    """Replace NumPy's scalars by numbers, and its arrays, tuples and ranges by lists."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (list, tuple, range)):
        return [without_numpy(part) for part in value]
    return {name: without_numpy(part) for name, part in value.items()} if isinstance(value, dict) else value


def _plain(name: str, value: Any) -> Any:
    """Return a value that a file can hold; raise `ParameterError` for any other."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if Number().accepts(value):
        return value if isinstance(value, int) else float(value)
    if isinstance(value, list):
        return [_plain(name, part) for part in value]
    kinds = "values must be numbers, texts, true, false, none, or lists of these"
    _refuse(name, f"{kinds}; a part is varied by its own name, as readout.ridge. Got {brief(value)} instead.")


def grid_size(dimensions: Sequence[Dimension]) -> int:
    """Return the number of points of a grid. Raises `ParameterError` for a range without a count."""
    for d in dimensions:
        if not d.values:
            text = f"a grid needs the number of values, as {d.low:g}:{d.high:g}:10"
            _refuse(d.name, f"{text}; or choose a strategy that searches: random, sobol, tpe, cmaes.")
    return math.prod(len(d.values) for d in dimensions)


def grid(dimensions: Sequence[Dimension]) -> Iterator[Point]:
    """Yield every value with every other, the last dimension fastest."""
    for values in itertools.product(*(dimension.values for dimension in dimensions)):
        yield {dimension.name: value for dimension, value in zip(dimensions, values, strict=True)}


def point_at(dimensions: Sequence[Dimension], u: Iterable[float]) -> Point:
    """Return the point at a place (D,) of the unit cube."""
    return {dimension.name: dimension.at(float(x)) for dimension, x in zip(dimensions, u, strict=True)}
