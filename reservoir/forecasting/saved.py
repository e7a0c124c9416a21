"""Forecasters that are kept in a file with the columns they read, and continue from new rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np

from reservoir.base.estimator import Estimator, clone
from reservoir.base.model_file import save_model
from reservoir.forecasting.anomalies import AnomalyReport, GroupAnomalies, anomalies_of
from reservoir.forecasting.forecaster import Forecaster
from reservoir.forecasting.report import ForecastReport, GroupForecast
from reservoir.forecasting.source import Source, each_group, names
from reservoir.forecasting.storage import from_plain, to_plain
from reservoir.forecasting.table import SeriesTable
from reservoir.validation import DataError, ParameterError, brief

COLUMNS = ("columns", "time", "known", "past", "group", "timezone")
"""What a `Source` is asked for, which the file keeps."""


class Forecasters(Estimator):
    """The forecasters of a file's series, one for each group, which continue from new rows without learning anew.

    `ForecastReport.save` writes them and `reservoir.load` reads them.

    Parameters
    ----------
    forecaster : the `Forecaster` whose settings they have

    Attributes
    ----------
    members_ : the fitted `Forecaster` of each group by its name; of series without groups there is one, named None
    columns_ : what the columns of a file are: columns, time, known, past, group, timezone, as for `forecast`
    every_ : the names of all columns of the file or frame that was learned from; none of an array
    """

    def __init__(self, forecaster: Forecaster) -> None:
        self.forecaster = forecaster
        self.members_: dict[str | None, Forecaster] = {}
        self.columns_: dict[str, Any] = {}
        self.every_: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that was learned and seen to a file, for `reservoir.load`.

        Raises `ParameterError` for parts of your own, which a file cannot hold, and OSError where it cannot be written.
        """
        if self.forecaster.parts:
            raise ParameterError(
                "The 'parts' parameter of Forecaster must be None for save: a model file holds no code. Got"
                f" {brief(list(self.forecaster.parts))} instead."
            )
        members = [{"group": group, **to_plain(one)} for group, one in self.members_.items()]
        save_model(path, self, {}, {"columns": self.columns_, "every": list(self.every_), "members": members})

    @classmethod
    def of(cls, report: ForecastReport, source: Source, table: SeriesTable, forecaster: Forecaster) -> Self:
        """Return those of a report, and the columns of the source that they learned from, as one of its tables has them."""
        found = cls(clone(forecaster))
        found.members_ = {one.group: one.forecaster for one in report.groups}
        found.columns_, found.every_ = dict.fromkeys(COLUMNS), table.every
        found.columns_["columns"] = list(report.groups[0].forecast.names)
        if source.has_columns:
            time = table.kind.time if table.kind and not table.kind.index and table.times is not None else None
            found.columns_ |= {"time": time, "group": source.group, "timezone": source.timezone}
            found.columns_ |= {"known": names(source.known) or None, "past": names(source.past) or None}
        return found

    @classmethod
    def restored(cls, parameters: Mapping[str, Any], arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> Self:
        """Return the forecasters whose `save` wrote these. Raises KeyError, TypeError or ValueError where they do not fit."""
        found = cls(parameters["forecaster"])
        found.forecaster.check()
        found.members_ = {plain["group"]: from_plain(found.forecaster, plain) for plain in state["members"]}
        found.columns_, found.every_ = {name: state["columns"][name] for name in COLUMNS}, tuple(state["every"])
        return found

    def predict(self, data: Any, *, future: Any = None, fill: str | None = None, **given: Any) -> ForecastReport:
        """Forecast past the end of the rows that follow those seen; nothing is learned, and these forecasters stay as they are.

        Parameters
        ----------
        data : a file, frame or array with the same columns: new rows only, or after rows that were seen
        future : a second file or frame with the known columns of the rows to come
        fill : how gaps are filled, "linear", "seasonal" or "last"; as when they were fitted where it is None
        given : of an array, `time`, `known` and `past`, as for `forecast`

        Raises
        ------
        DataError
            As `Forecaster.observe`; other columns than those learned from. Where some groups can be forecast, the report names
            the others and says why.
        """

        def work(table: SeriesTable) -> GroupForecast:
            before = self._member(table)
            after = _observed(before, table, fill)
            return GroupForecast(table.group, after.rows_, after, after.predict(), after.rows_ - before.rows_)

        return self._report(*each_group(self._tables(data, future, given), work))

    def anomalies(self, data: Any, *, future: Any = None, fill: str | None = None, **given: Any) -> AnomalyReport:
        """Mark the new rows that lie outside the widest band of the last forecast before them.

        Forecasts are made every horizon rows, each from all rows before it. The arguments are those of `predict`.
        """

        def work(table: SeriesTable) -> GroupAnomalies:
            before = self._member(table)
            return anomalies_of(table.group, before, _observed(before, table, fill), fill or before.fill)

        return AnomalyReport(*each_group(self._tables(data, future, given), work))

    def updated(self, report: ForecastReport, *, learn: bool, fill: str | None = None) -> Forecasters:
        """These forecasters after the new rows of a report of `predict`; with `learn`, fitted anew to all rows they have seen."""
        found = copy(self)
        fresh = {one.group: _fitted_anew(one.forecaster, fill) if learn else one.forecaster for one in report.groups}
        found.members_ = {**self.members_, **fresh}
        return found

    def predicted(self, report: ForecastReport) -> ForecastReport:
        """A report of `predict` with the forecasts of these forecasters, which were `updated` by it."""
        groups = [replace(one, forecaster=self.members_[one.group]) for one in report.groups]
        return replace(report, groups=tuple(replace(one, forecast=one.forecaster.predict()) for one in groups))

    def _tables(self, data: Any, future: Any, given: Mapping[str, Any]) -> list[SeriesTable]:
        """The series of new data, checked to have the columns of those learned from."""
        utc = any(one.kind_ is not None and one.kind_.utc for one in self.members_.values())
        zone = {} if utc else {"timezone": None}  # days of local time stay as they are, also where there is only one
        source = Source(data, **{**self.columns_, **zone, **given}, future=future)
        tables = source.tables()
        if source.has_columns:
            for name in tables[0].every if self.every_ else ():
                if name not in self.every_:
                    raise DataError(
                        f"{data}: has the column '{name}', which the data that the model learned from did not have; remove it."
                    )
        return tables

    def _member(self, table: SeriesTable) -> Forecaster:
        """The forecaster of a group. Raises `DataError` for a group that is not known."""
        if table.group not in self.members_:
            raise DataError("the model has not learned from this group; fit it again.")
        if not len(table.series):
            raise DataError(f"Column '{table.names[0]}' has no values.")
        return self.members_[table.group]

    def _report(self, groups: tuple[GroupForecast, ...], left_out: Mapping[str, str]) -> ForecastReport:
        """The report of some groups, and of those that the data have no rows of."""
        there = {one.group for one in groups} | set(left_out)
        absent = {str(group): "the data have no rows of it." for group in self.members_ if group not in there}
        return ForecastReport(groups, {**left_out, **absent})


def _observed(forecaster: Forecaster, table: SeriesTable, fill: str | None) -> Forecaster:
    """A forecaster after the rows of a table; the one given stays as it is."""
    return copy(forecaster).observe(table.series, known=table.known, past=table.past, times=table.times, fill=fill)


def _fitted_anew(forecaster: Forecaster, fill: str | None) -> Forecaster:
    """A forecaster with the same settings, fitted to all rows that one has seen."""
    prepared, found = forecaster.prepared_, clone(forecaster)
    own = prepared.known.shape[1] - (forecaster.holidays is not None)
    found.set_params(fill=fill or forecaster.fill, horizon=prepared.horizon, random_state=forecaster.seed_)
    found.fit(
        prepared.series, known=prepared.known[:, :own] if own else None, past=prepared.past if prepared.past.shape[1] else None,
        times=prepared.times, names=prepared.names,
    )  # fmt: skip
    found.kind_, found.rows_ = forecaster.kind_, forecaster.rows_
    return found
