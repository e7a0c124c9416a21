"""What a file keeps of a network's data, so that it can be used on other rows: columns, units, lead, and where it stopped."""

from __future__ import annotations

import zlib
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from reservoir.base.state import State
from reservoir.echo.learning import can_learn_on, learning_to_plain
from reservoir.files.csv_file import read_header
from reservoir.forecasting.calendar import find_calendar
from reservoir.validation import DataError, ParameterError

AT_ONCE = 10_000
"""Rows that are run at a time."""
MOST_ERRORS = 10_000
TAIL = 1_000
"""The last rows seen that are kept, to recognize them among others; more where an update has yet to learn from them."""


@dataclass(frozen=True)
class Contract:
    """What a network and the rows that it reads must agree on. Rows are in their own units, states in those of the network.

    Attributes
    ----------
    task, kind : of the task that the network was fitted to: a free run forecasts its inputs
    columns, every : the names of the d columns, and of all columns of the file; None where the data were made, not read
    calendar : the column of times, the time of the last row seen, and the step, see `calendar`; None where there are no times
    mean, deviation : (d,) the network reads (rows - mean) / deviation; 0 and 1 where it reads rows as they are
    usual : (2, d) mean and standard deviation of the rows that were learned from
    lead : how many rows ahead of its input an output belongs
    washout : leading rows of a sequence whose outputs mean nothing
    rows, fingerprint : how many rows were seen, and the CRC-32 of all their numbers
    tail : (k, d) the last of them
    state : before the last row seen: values, output, time; None where the network has to begin anew with every file
    errors : (e, d) ascending absolute errors of one-step forecasts of rows that were not learned from
    learning : where learning stopped, so that it can go on, and how many rows of the tail it has yet to read; or None
    """

    task: str
    kind: str
    columns: list[str] | None
    every: list[str] | None
    calendar: dict[str, Any] | None
    mean: np.ndarray
    deviation: np.ndarray
    usual: np.ndarray
    lead: int
    washout: int
    rows: int
    fingerprint: int
    tail: np.ndarray
    state: dict[str, Any] | None
    errors: np.ndarray
    learning: dict[str, Any] | None

    def scaled(self, rows: np.ndarray) -> np.ndarray:
        """Rows (m, d) as the network reads them."""
        return np.asarray((rows - self.mean) / self.deviation)

    def restored(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (m, d) of a network of the next row in the units of the rows."""
        return np.asarray(outputs * self.deviation + self.mean)

    def half_width(self, level: float) -> np.ndarray:
        """The half width (d,) of the band about the next row, a quantile of past errors (split conformal)."""
        count = len(self.errors)
        place = int(np.ceil(level / 100.0 * (count + 1))) - 1
        return np.asarray(self.errors[min(place, count - 1)])

    def start(self, model: Any) -> State:
        """The state before the last row seen."""
        assert self.state is not None
        state = model.reset()
        return replace(state, **deepcopy(self.state))


def contract_of(task: Any, data: Any, model: Any, path: str | None = None) -> Contract:
    """The contract of a network that was fitted to the data of a task; a record that the task has read counts as seen.

    path : the CSV file that the record is from, if there is one
    """
    inputs = np.concatenate([np.asarray(u, float) for u in data.train.inputs])
    d, info = inputs.shape[1], data.info
    usual = np.stack([inputs.mean(axis=0), inputs.std(axis=0)]) if len(inputs) and d else np.zeros((2, d))
    plain = Contract(
        task.name, task.kind, None, None, None, np.zeros(d), np.ones(d), usual, int(model.next_step_),
        max(data.train.washout, data.test.washout, int(getattr(model, "washout", 0))) if task.kind != "label" else 0,
        0, 0, np.empty((0, d)), None, np.empty((0, d)), None,
    )  # fmt: skip
    if "record" not in info:
        return plain
    record, mean, deviation = info["record"], info["mean"], info["std"]
    every = None if path is None else read_header(path)
    unused = [name for name in every or () if name not in info["columns"]]
    calendar = None if path is None else find_calendar(path, unused)
    read = replace(
        plain, columns=list(info["columns"]), every=every,
        calendar=None if calendar is None else calendar.plain(), mean=mean, deviation=deviation,
        usual=np.stack([mean, deviation]), rows=len(record), fingerprint=fingerprint(record), tail=record[-TAIL:],
    )  # fmt: skip
    if not (plain.lead and can_continue(model)):
        return read
    learned = len(data.validation.inputs[0])  # the rows up to the validation part
    state = model.reset()
    outputs = run(model, read, record[:-1], state)
    errors = np.sort(np.abs(outputs - record[1:])[learned - 1 :], axis=0)
    learning = {**learning_to_plain(model), "rows": len(record) - learned + 1} if can_learn_on(model) else None
    tail = record[-max(TAIL, len(record) - learned + 1) :]
    errors = errors[np.linspace(0, len(errors) - 1, min(len(errors), MOST_ERRORS)).astype(int)]
    return replace(read, state=plain_state(state), errors=errors, learning=learning, tail=tail)


def contract_without_task(model: Any) -> Contract:
    """The contract of a network that was saved from Python: its inputs have no units, and names only if a frame had them."""
    d = model.n_features_in_
    names = getattr(model, "feature_names_in_", None)
    lead, washout = int(model.next_step_), int(model.washout) if is_per_step(model) else 0
    kind, columns = "free run" if lead else "", None if names is None else names.tolist()
    return Contract(
        "", kind, columns, None, None, np.zeros(d), np.ones(d), np.zeros((2, d)), lead, washout, 0, 0, np.empty((0, d)), None,
        np.empty((0, d)), None,
    )  # fmt: skip


def is_per_step(model: Any) -> bool:
    """Whether a network has an output at every step, and goes on from a state."""
    try:
        model.reset()
    except (DataError, ParameterError):
        return False
    return True


def can_continue(model: Any) -> bool:
    """Whether a network goes on from a state with the rows alone; one of the next step must not be fed its own outputs."""
    settings = model.get_params(deep=False)
    fed_back = settings.get("feedback_scaling", 0.0) or settings.get("feedback") or "output" in settings.get("readout_from", ())
    return is_per_step(model) and not (model.next_step_ and np.any(fed_back))


def run(model: Any, contract: Contract, rows: np.ndarray, state: State) -> np.ndarray:
    """The outputs (m, o) of a network for rows (m, d), both in units, after a state, which moves on."""
    parts = [rows[start : start + AT_ONCE] for start in range(0, max(len(rows), 1), AT_ONCE)]
    found = [np.asarray(model.predict(contract.scaled(part), state=state)) for part in parts if len(part)]
    if not found:
        return np.empty((0, model.n_outputs_))
    outputs = np.concatenate(found).reshape(len(rows), -1)
    return contract.restored(outputs) if contract.lead else outputs


def plain_state(state: State) -> dict[str, Any]:
    """A state as plain data and arrays."""
    return deepcopy(vars(state))


def fingerprint(rows: np.ndarray, before: int = 0) -> int:
    """The CRC-32 of numbers (m, d), continued from that of the rows before them."""
    return zlib.crc32(np.ascontiguousarray(rows, "<f8").tobytes(), before)


def to_plain(contract: Contract) -> dict[str, Any]:
    """A contract as plain data and arrays, for a model file."""
    return asdict(contract)
