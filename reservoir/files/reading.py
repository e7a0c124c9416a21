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
    """The text behind a number, or behind a list of names: the command line reads values as Python where it can.

    Anything else is given back as it is.

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
    """Raise `DataError` for every error of the system within the block; `kind` says what file was expected."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a directory; name a {kind} in it.") from None
    except PermissionError:
        raise DataError(f"{path}: no permission to read the file.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
