"""Classes of a user's own: importing them by a path, their names in stores, and their fields as plain data."""

from __future__ import annotations

import dataclasses
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from reservoir.validation import ParameterError, brief, nearest

SCRIPTS = ("__main__", "__mp_main__")
"""The module of the running script, in its own process and in the processes that it starts."""


def import_class(what: str, path: str, base: type) -> type:
    """Import the class that "package.module:Class" names; the current folder is importable, as for `python -m`.

    Raises `ParameterError` where the module cannot be imported, has no such class, or the class is not derived from `base`.
    `what` says in the error what the class is, such as "model".
    """
    module, _, name = path.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), *name.split("."))):
        raise ParameterError(f"A {what} of your own must be named as package.module:Class. Got {brief(path)} instead.")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = import_module(module)
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ParameterError(f"The {what} '{path}' cannot be imported ({reason}); give a module that can.") from None
    for part in name.split("."):
        if not hasattr(found, part):
            raise ParameterError(f"The {what} '{path}' cannot be imported: no '{part}' there.{nearest(part, vars(found))}")
        found = getattr(found, part)
    return check_class(what, found, base)


def check_class(what: str, given: Any, base: type) -> type:
    """Return a class; raise `ParameterError` unless it is one that is derived from `base`."""
    if not (isinstance(given, type) and issubclass(given, base)):
        wanted = f"{base.__module__}.{base.__qualname__}"
        raise ParameterError(f"A {what} of your own must be a class derived from {wanted}. Got {brief(given)} instead.")
    return given


def class_path(kind: type) -> str:
    """Return the name of a class as "package.module:Class"; the running script has the name of its file as a module."""
    module = kind.__module__
    if module in SCRIPTS:
        main = sys.modules["__main__"]
        spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        module = spec.name if spec else Path(file).stem if file else module
    return f"{module}:{kind.__qualname__}"


def check_importable(what: str, kind: type) -> None:
    """Raise `ParameterError` for a class that other processes cannot import: of a notebook, a prompt or within a function."""
    found: Any = sys.modules.get(kind.__module__)
    is_prompt = kind.__module__ in SCRIPTS and not hasattr(found, "__file__")
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    if is_prompt or found is not kind:
        raise ParameterError(
            f"The {what} must be of a class that other processes can import, not one of a notebook, a prompt or within a"
            f" function. Got {class_path(kind)} instead; define it at the top of a file and import it from there."
        )


def plain_fields(what: str, value: Any) -> Any:
    """Turn a value into plain data: objects into their class and fields or parameters, arrays into lists, paths into text.

    Raises `ParameterError` for an object without fields; `what` names the value.
    """
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if isinstance(value, os.PathLike):
        return str(value)
    if isinstance(value, (np.generic, np.ndarray)):
        return plain_fields(what, value.tolist())
    if isinstance(value, (list, tuple)):
        parts = [plain_fields(what, part) for part in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    if isinstance(value, dict):
        return {str(name): plain_fields(what, part) for name, part in value.items()}
    if isinstance(value, type):
        return class_path(value)
    if hasattr(value, "get_params"):
        return {"class": class_path(type(value)), **plain_fields(what, value.get_params(deep=False))}
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"class": class_path(type(value)), **plain_fields(what, fields)}
    raise ParameterError(f"The {what} must be plain data, an array or a dataclass, which identify a run. Got {value!r}.")
