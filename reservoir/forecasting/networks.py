"""A network from a file on other rows, as its contract says."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reservoir.base.state import State
from reservoir.base.tables import counted
from reservoir.echo.learning import LEARNERS, learn_on, learning_to_plain
from reservoir.files.csv_file import read_csv, read_header
from reservoir.files.writing import write_csv
from reservoir.forecasting.anomalies import AnomalyReport, GroupAnomalies
from reservoir.forecasting.calendar import calendar_of, seen_by_time
from reservoir.forecasting.contract import (
    TAIL,
    Contract,
    can_continue,
    contract_without_task,
    fingerprint,
    plain_state,
    run,
    to_plain,
)
from reservoir.forecasting.following import FAR, FIT_AGAIN, same_rows, seen_rows
from reservoir.validation import DataError, ParameterError

LEVEL = 95.0
BETWEEN_CHECKS = 64
"""Rows that are run at a time where each is compared with its band."""
MOST_REPLACED = 3


@dataclass(frozen=True)
class Predictions:
    """Outputs (m, o) of a network and their names; the first belongs to row number `first`, counted from 1."""

    names: list[str]
    first: int
    values: np.ndarray
    new_rows: int
    seen: int
    times: list[str] | None

    def records(self) -> list[dict[str, Any]]:
        """One dictionary per row, with its time, or its number."""
        steps: list[dict[str, Any]] = [{"row": self.first + i} for i in range(len(self.values))]
        if self.times is not None:
            steps = [{"time": time} for time in self.times]
        rows = self.values.tolist()
        return [{**step, **dict(zip(self.names, row, strict=True))} for step, row in zip(steps, rows, strict=True)]

    def table(self) -> str:
        """What was read, and which rows have outputs."""
        last = self.first + len(self.values) - 1
        which = f"row {last:,}" if len(self.values) == 1 else f"rows {self.first:,} to {last:,}"
        after = f", after the {self.seen:,} seen before" if self.seen else ""
        return f"{counted(self.new_rows, 'new row')} read{after}; outputs for {which}."

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the outputs, a row each, with the time or the number of the row that they belong to."""
        records = self.records()
        write_csv(path, list(records[0]), (list(record.values()) for record in records))


class NetworkOnRows:
    """A network from a file and the rows of a file beside it: those that it has seen are recognized, the others are new.

    A network that cannot go on from a state reads all rows of the file, of which `before` more have been seen.
    """

    def __init__(self, model: Any, file: str, columns: Sequence[str]) -> None:
        self.model, self.contract = model, contract_of_file(model)
        rows, self.names = read_rows(self.contract, model, file, columns)
        self.calendar = calendar_of(self.contract.calendar)
        seen = seen_by_time(self.calendar, file, rows, self.contract.tail) if self.calendar else _seen(self.contract, rows)
        self.continues, self.before = can_continue(model), self.contract.rows - seen
        self.rows, self.new_rows = rows[seen if self.continues else 0 :], len(rows) - seen
        self._ran: tuple[np.ndarray, State, dict[str, Any]] | None = None
        _warn_of_units(self.contract, self.rows, self.names)

    def predict(self, horizon: int | None) -> Predictions:
        """The outputs of the new rows, from the last state on; or a forecast of `horizon` rows past them.

        Raises `ParameterError` for a forecast by a network whose outputs are not the next rows, `DataError` for too few rows.
        """
        contract, model = self.contract, self.model
        if horizon is not None and not contract.lead:
            name = f"task {contract.task}" if contract.task else "this model"
            raise ParameterError(
                f"--horizon needs a model of the next row of its inputs; the outputs of {name} are not its inputs. Leave it out."
            )
        if not self.continues:
            return self._whole(horizon)
        outputs, state, _ = self._along()
        first = contract.rows + contract.lead + (contract.rows == 0 or not contract.lead)
        if horizon is not None:
            rows = contract.rows + len(self.rows)
            steps, state = [outputs[-1:]] * (rows > contract.washout), deepcopy(state)
            while 0 < len(steps) < horizon:
                steps.append(run(model, contract, steps[-1], state))
            return self._found(rows + 1, np.concatenate(steps or [outputs[:0]]))
        skipped = max(contract.washout + contract.lead + 1 - first, 0)
        return self._found(first + skipped, outputs[skipped:])

    def anomalies(self) -> AnomalyReport:
        """The new rows with the band that past errors give about their one-step forecasts, and which lie outside."""
        contract = self.contract
        if not len(contract.errors):
            raise ParameterError(
                "--anomalies needs a model with past errors, as `reservoir train csv` and `reservoir forecast --save` keep them."
            )
        if not len(self.rows):
            raise DataError("series: has no row after the last one that the model has seen; there is nothing to check.")
        width = contract.half_width(LEVEL)
        expected = self._expected(width)
        first, names = contract.rows + 1, tuple(self.names)
        times = None if self.calendar is None else self.calendar.times(np.arange(1, len(self.rows) + 1))
        one = GroupAnomalies(None, names, first, times, self.rows, expected, expected - width, expected + width, LEVEL)
        return AnomalyReport((one,), {})

    def _expected(self, width: np.ndarray) -> np.ndarray:
        """The one-step forecast (m, d) of each new row. A row farther off than `width` (d,) is read as it was expected.

        After three such rows they are read as they are: the change lasts.
        """
        contract, model, m = self.contract, self.model, len(self.rows)
        read = np.concatenate([contract.tail[-1:], self.rows])
        state, expected = contract.start(model), np.empty_like(self.rows)
        row, replaced = 0, 0
        while row < m:
            ahead, trial = min(BETWEEN_CHECKS, m - row), deepcopy(state)
            found = run(model, contract, read[row : row + ahead], trial)
            outside = np.abs(self.rows[row : row + ahead] - found) > width
            inside = int(np.argmax(outside.any(axis=1))) if outside.any() else ahead
            if inside == ahead:
                expected[row : row + ahead], state, row, replaced = found, trial, row + ahead, 0
                continue
            end = row + inside + 1
            expected[row:end] = found[: inside + 1]
            run(model, contract, read[row:end], state)
            replaced = replaced + 1 if inside == 0 else 1
            if replaced <= MOST_REPLACED:
                read[end] = np.where(outside[inside], found[inside], read[end])
            row = end
        return expected

    def learn(self) -> None:
        """Learn from the new rows, and from those seen that were held out.

        Raises `ParameterError` where the file does not have what that needs.
        """
        plain = self.contract.learning
        if plain is None:
            raise ParameterError(
                f"--update needs a model of a series, by `reservoir train csv`, whose readout learns on: {LEARNERS}. Got"
                f" {type(self.model).__name__}; train it again."
            )
        rows = self.contract.scaled(np.concatenate([self.contract.tail[-plain["rows"] :], self.rows]))
        if len(rows) > 1:
            learn_on(self.model, plain, rows[:-1], rows[1:])
            plain = {**learning_to_plain(self.model), "rows": 1 - len(self.rows)}  # 1 after `remember`
            self.contract, self._ran = replace(self.contract, learning=plain), None

    def remember(self) -> None:
        """Put the new rows, and the state before the last of them, into the contract of the model.

        Raises `ParameterError` for a network that cannot go on from a state.
        """
        old, m = self.contract, len(self.rows)
        if not self.continues:
            raise ParameterError(
                "--remember needs a model that continues from a state; this one reads every file from its beginning."
            )
        state = self._along()[2] if m else old.state
        learning = None if old.learning is None else {**old.learning, "rows": old.learning["rows"] + m}
        kept, moved = max(TAIL, learning["rows"] if learning else 0), None
        if self.calendar is not None:
            moved = self.calendar._replace(last=self.calendar.times(np.array([m]))[0]).plain()
        self.contract = replace(
            old, rows=old.rows + m, fingerprint=fingerprint(self.rows, old.fingerprint), state=state, learning=learning,
            tail=np.concatenate([old.tail, self.rows])[-kept:], columns=list(self.names), calendar=moved,
        )  # fmt: skip
        self.model.contract_ = to_plain(self.contract)

    def _along(self) -> tuple[np.ndarray, State, dict[str, Any]]:
        """The outputs of the new rows, the state after them, and that before the last of them.

        The first output of a network of the next row is that of the last row seen: it belongs to the first new row.
        """
        if self._ran is None:
            contract, model = self.contract, self.model
            state = contract.start(model) if contract.rows else model.reset()
            rows = np.concatenate([contract.tail[-1:], self.rows])
            outputs = [run(model, contract, rows[:-1], state)] if len(rows) > 1 else []
            before = plain_state(state)
            outputs.append(run(model, contract, rows[-1:], state))
            first = int(contract.rows > 0 and not contract.lead)
            self._ran = np.concatenate(outputs)[first:], state, before
        return self._ran

    def _whole(self, horizon: int | None) -> Predictions:
        """The outputs, or the forecast, of a network that reads every file from its beginning."""
        contract, rows = self.contract, self.contract.scaled(self.rows)
        if horizon is not None:
            outputs = contract.restored(np.asarray(self.model.forecast(rows, horizon)))
            return self._found(self.before + len(rows) + 1, outputs)
        if len(rows) <= contract.washout:
            return self._found(1, rows[:0])
        outputs = np.asarray(self.model.predict(rows))
        if outputs.ndim == 0 or len(outputs) != len(rows):  # one for the sequence
            return self._found(1, outputs.reshape(1, -1))
        outputs = outputs.reshape(len(rows), -1)
        first = self.before + contract.washout + contract.lead + 1
        return self._found(first, (contract.restored(outputs) if contract.lead else outputs)[contract.washout :])

    def _found(self, first: int, values: np.ndarray) -> Predictions:
        """Outputs with their names. Raises `DataError` where none is left."""
        if not len(values):
            raise DataError(
                f"series: has {counted(len(self.rows), 'row')}, none past the washout of {self.contract.washout}; give more rows."
            )
        count = values.shape[1]
        names = self.names if self.contract.lead else ["output"] if count == 1 else [f"output {k + 1}" for k in range(count)]
        steps = first - self.contract.rows + np.arange(len(values))
        times = None if self.calendar is None else self.calendar.texts(steps)
        return Predictions(names, first, values, self.new_rows, self.contract.rows, times)


def contract_of_file(model: Any) -> Contract:
    """The contract of a model, which has none if it was saved from Python."""
    plain = getattr(model, "contract_", None)
    return contract_without_task(model) if plain is None else Contract(**deepcopy(plain))


def read_rows(contract: Contract, model: Any, file: str, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The columns of a file that a model reads. Raises `DataError` where they are not there, or others have been added."""
    if contract.columns is not None and columns and list(columns) != contract.columns:
        raise ParameterError(f"--column is not needed: the model reads {', '.join(contract.columns)}. Got {', '.join(columns)}.")
    added = [name for name in read_header(file) if name not in contract.every] if contract.every else []
    if added:
        raise DataError(
            f"{file}: has the column '{added[0]}', which the data that the model learned from did not have; remove it."
        )
    rows, names = read_csv(file, contract.columns or columns or None)
    if len(names) != model.n_features_in_:
        raise DataError(
            f"{file}: the model reads {counted(model.n_features_in_, 'column')}, got {', '.join(names)}; name them with --column."
        )
    return rows, names


def _seen(contract: Contract, rows: np.ndarray) -> int:
    """How many of the first rows the model has seen. Raises `DataError` where most of them are, but not all."""
    n = contract.rows
    if n == 0:
        return 0
    if len(rows) >= n:
        if fingerprint(rows[:n]) == contract.fingerprint:
            return n
        if same_rows(contract.tail, rows[n - len(contract.tail) : n]).all():
            raise DataError(
                f"series: the first {n - len(contract.tail):,} rows are not those that the model has seen; {FIT_AGAIN}."
            )
    return seen_rows(contract.tail, n, rows)


def _warn_of_units(contract: Contract, rows: np.ndarray, names: list[str]) -> None:
    """Warn of values that lie far from all that the model learned from."""
    mean, deviation = contract.usual
    for k, name in enumerate(names):
        apart = np.abs(rows[:, k] - mean[k])
        if deviation[k] > 0.0 and len(rows) and apart.max() > FAR * deviation[k]:
            row = int(np.argmax(apart))
            warnings.warn(
                f"Column '{name}': {rows[row, k]:g} is {apart[row] / deviation[k]:.0f} standard deviations from the mean of the"
                " rows that the model learned from; does it have other units?", RuntimeWarning, stacklevel=4,
            )  # fmt: skip
