"""Users' files: options that name them or their columns, and one line for each way in which a file cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reservoir.validation import Choice, DataError

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Text(Choice):
    """Any text; a blank one only if `blank`."""

    blank: bool = False

    def accepts(self, value: Any) -> bool:
        """Whether `value` meets the constraint."""
        return isinstance(value, (str, os.PathLike)) and (self.blank or str(value) != "")


def as_text(value: Any) -> Any:
    """Turn a number, or a list of names, back into text: the command line reads values as Python where it can.

    Anything else is returned as it is.

    >>> as_text(2020), as_text(["price", 2])
    ('2020', 'price,2')
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (list, tuple)) and value:
        parts = [as_text(part) for part in value]
        return ",".join(parts) if all(isinstance(part, str) for part in parts) else value
    return value


@contextmanager
def reading(path: PathLike, kind: str) -> Iterator[None]:
    """Turn every error of the system within the block into a `DataError`; `kind` says what file was expected."""
    try:
        yield
    except DataError:
        raise
    except (OSError, ValueError) as error:
        reasons: dict[type, str] = {
            FileNotFoundError: "there is no such file",
            IsADirectoryError: f"is a directory; name a {kind} in it",
            PermissionError: "no permission to read the file",
        }
        reason = reasons.get(type(error)) or f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise DataError(f"{path}: {reason}.") from None
