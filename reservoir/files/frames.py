"""Frames of pandas, polars, pyarrow and others, read and made through narwhals; none of them is imported here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reservoir.files.dates import one_clock, zone_of
from reservoir.files.reading import PathLike, reading
from reservoir.validation import DataError

INDEX = "time"
"""The name of times that are an index without a name."""
UNNAMED = "series"
"""The name of a column without a name."""


@dataclass(frozen=True)
class FrameKind:
    """What a frame made from results shares with the one that was read.

    Attributes
    ----------
    library : "pandas", "polars", "pyarrow", ...; None for a file
    time : the name of the column of times
    timezone : of these, or None
    utc : whether the times that were read are in UTC, not those of the time zone
    dates : whether they are dates without a time of day
    index : whether they are the index
    """

    library: str | None
    time: str = INDEX
    timezone: str | None = None
    utc: bool = False
    dates: bool = False
    index: bool = False

    def frame(self, columns: Mapping[str, np.ndarray], times: np.ndarray | None) -> Any:
        """A frame of columns (n,) and of times (n,), as they were read, if there are any."""
        import narwhals as nw

        library: Any = self.library
        if times is None:
            return nw.from_dict(dict(columns), backend=library).to_native()
        local = self.timezone is not None and not self.utc
        moments = _from_local(times, str(self.timezone)) if local else times
        made = nw.from_dict({self.time: moments.astype("M8[us]"), **columns}, backend=library)
        if self.timezone is not None:
            made = made.with_columns(nw.col(self.time).dt.replace_time_zone("UTC").dt.convert_time_zone(self.timezone))
        elif self.dates:
            made = made.with_columns(nw.col(self.time).cast(nw.Date))
        return (nw.maybe_set_index(made, self.time) if self.index else made).to_native()


def _from_local(times: np.ndarray, timezone: str) -> np.ndarray:
    """Local times (n,) in UTC."""
    zone, epoch = zone_of(timezone), np.datetime64(0, "s")
    return np.array([epoch + int(moment.replace(tzinfo=zone).timestamp()) for moment in times.astype("M8[s]").tolist()], "M8[s]")


def is_frame(data: Any) -> bool:
    """Whether `data` is a frame, or a column of one, of a library that narwhals knows."""
    if isinstance(data, (np.ndarray, list, tuple, str, os.PathLike)):
        return False
    import narwhals as nw

    known = nw.dependencies
    return known.is_into_dataframe(data) or known.is_into_series(data) or known.is_polars_lazyframe(data)


def read_parquet(path: PathLike) -> Any:
    """The frame in a Parquet file, by the first of polars, pyarrow and pandas that can read it.

    Raises `DataError` where the file cannot be read, or none of them is there.
    """
    import narwhals as nw

    with reading(path, "Parquet file"):
        Path(path).open("rb").close()
    reason = "needs polars, pyarrow or pandas with pyarrow; install one"
    for library in ("polars", "pyarrow", "pandas"):
        try:
            return nw.read_parquet(os.fspath(path), backend=library).to_native()
        except ImportError:
            continue
        except Exception as error:  # each library has its own
            reason = f"cannot be read as Parquet: {str(error).splitlines()[0]}"
    raise DataError(f"{path}: {reason}.")


def read_frame(frame: Any) -> tuple[dict[str, np.ndarray | list[str]], dict[str, FrameKind]]:
    """The columns of a frame by name, and what frames made from it share with it if that column is their times.

    A column of numbers or truth values becomes (n,) float64, NaN where a cell is missing; dates and times become (n,) NumPy
    dates, those with a time zone in UTC unless all have one time of day; all others become texts, "" where missing. An
    index of dates or periods comes first.
    """
    import narwhals as nw

    if nw.dependencies.is_polars_lazyframe(frame):
        raise DataError("frame: is a lazy one; call its collect() first.")
    try:
        wrapped: Any = nw.from_native(frame, eager_only=True, allow_series=True)
    except (nw.exceptions.NarwhalsError, TypeError) as error:
        raise DataError(f"frame: cannot be read: {' '.join(str(error).split())}") from None
    if isinstance(wrapped, nw.Series):
        wrapped = wrapped.alias(wrapped.name or UNNAMED).to_frame()
    library = wrapped.implementation.value
    columns: dict[str, np.ndarray | list[str]] = {}
    kinds: dict[str, FrameKind] = {}
    index: Any = nw.maybe_get_index(wrapped)
    parts: dict[str, Any] = {str(name): wrapped.get_column(name) for name in wrapped.columns}
    if hasattr(index, "to_timestamp") or hasattr(index, "tz"):  # periods, times
        name = str(index.name or INDEX)
        parts = {name: nw.from_native(index.to_series(), series_only=True), **parts}
        kinds[name] = FrameKind(library, name, index=True)
    for name, part in parts.items():
        kind = kinds.get(name, FrameKind(library, name))
        if part.dtype.is_numeric() or part.dtype == nw.Boolean:
            columns[name] = np.asarray(part.cast(nw.Float64).to_numpy(), float)
        elif part.dtype == nw.Datetime:
            zone = part.dtype.time_zone
            local = part.dt.replace_time_zone(None).to_numpy().astype("M8[s]")
            utc = zone is not None and not one_clock(local)
            if utc:
                local = part.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy().astype("M8[s]")
            columns[name], kind = local, replace(kind, timezone=zone, utc=utc)
        elif part.dtype == nw.Date:
            columns[name], kind = part.to_numpy().astype("M8[s]"), replace(kind, dates=True)
        else:
            columns[name] = ["" if value is None or value != value else str(value) for value in part.to_list()]
        kinds[name] = kind
    return columns, kinds
