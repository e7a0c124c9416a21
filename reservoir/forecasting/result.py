"""`Forecast`: the values and bands of a forecast, in the series' own units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reservoir.files.frames import FrameKind
from reservoir.validation import ParameterError


@dataclass(frozen=True)
class Forecast:
    """A forecast of h steps of d series, with bands, in the series' own units.

    Attributes
    ----------
    values : (h, d)
    levels : per cent of the rows that each band is meant to hold
    lower, upper : (n_levels, h, d)
    names : of the d series
    times : (h,) NumPy dates, or None where the series had none
    kind : what the frame or file that was fitted was like, None for arrays
    """

    values: np.ndarray
    levels: tuple[float, ...]
    lower: np.ndarray
    upper: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None
    kind: FrameKind | None = None

    def columns(self) -> dict[str, np.ndarray]:
        """The columns of a file, (h,) each: of a series `load` these are `load`, `load_lower_80`, `load_upper_80`, ..."""
        found: dict[str, np.ndarray] = {}
        for k, name in enumerate(self.names):
            found[name] = self.values[:, k]
            for i, level in enumerate(self.levels):
                found[f"{name}_lower_{level:g}"] = self.lower[i, :, k]
                found[f"{name}_upper_{level:g}"] = self.upper[i, :, k]
        return found

    def to_frame(self, library: str | None = None) -> Any:
        """The times and columns as a frame of a library, such as "pandas" or "polars"; None for that of the fitted frame.

        Raises `ParameterError` where no frame was fitted and no library is named, or there is no such library.
        """
        library = library or (self.kind.library if self.kind else None)
        if library is None:
            raise ParameterError("The 'library' parameter of to_frame must name one where no frame was fitted, such as 'pandas'.")
        kind = self.kind or FrameKind(library)
        try:
            return replace(kind, library=library).frame(self.columns(), self.times)
        except (ImportError, ValueError):
            must = "must name a library of frames that is installed, such as 'pandas' or 'polars'"
            raise ParameterError(f"The 'library' parameter of to_frame {must}. Got {library!r} instead.") from None


def series_label(group: Any, column: str) -> str:
    """Return the name of a series: its column, after its group where there is one."""
    return column if group is None else f"{group}: {column}"
