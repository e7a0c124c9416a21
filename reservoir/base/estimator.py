"""The base of every estimator: scikit-learn's conventions without importing scikit-learn, which costs a second or more.

The constructor only stores; `get_params`, `set_params`, `clone` and the tags are what scikit-learn's own tools ask for.
A parameter that is itself an estimator, or a dictionary of options, has its parts addressed as `readout__ridge`.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from reservoir.validation import Constraint, ParameterError, check_parameters, nearest


def parameter(default: Any, constraint: Constraint) -> Any:
    """Return a field for an estimator that is a dataclass: a parameter's default, and the values that it may have."""
    return dataclasses.field(default=default, metadata={"constraint": constraint})


class Estimator:
    """Parameters by name, their constraints, and a readable repr."""

    constraints: ClassVar[Mapping[str, Constraint]] = {}
    options: ClassVar[Mapping[str, Iterable[str]]] = {}
    """The names that may stand in a parameter that is a dictionary of options."""

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        """Make an estimator. Raises TypeError for an unknown name, with the nearest known one."""
        defaults = cls.defaults()
        for name in named:
            if name not in defaults:
                outer = cls.part_owners(defaults).get(name, "")
                part = f"{type(defaults[outer]).__name__}({name}=...)" if defaults.get(outer) else f"{{'{name}': ...}}"
                near = f" Did you mean {outer}={part}?" if outer else nearest(name, defaults)
                raise TypeError(f"{cls.__name__} has no parameter '{name}'.{near} Known: {', '.join(defaults)}.")
        return super().__new__(cls)

    def __init__(self) -> None:
        """Store nothing: a subclass without parameters needs no constructor of its own."""

    def __init_subclass__(cls) -> None:
        """Add the constraints of fields that `parameter` gave."""
        fields = {name: value.metadata for name, value in vars(cls).items() if isinstance(value, dataclasses.Field)}
        given = {name: data["constraint"] for name, data in fields.items() if "constraint" in data}
        cls.constraints = {**cls.constraints, **given}

    @classmethod
    @functools.cache
    def defaults(cls) -> dict[str, Any]:
        """Return the constructor's parameters by name, with their default values."""
        return {name: p.default for name, p in inspect.signature(cls.__init__).parameters.items() if name != "self"}

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        """Return the names of the constructor's parameters."""
        return tuple(cls.defaults())

    @classmethod
    def part_owners(cls, parameters: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameter, of these, that each part belongs to, by the part's name; the first where several have it."""
        owners: dict[str, str] = {}
        for outer, value in parameters.items():
            for part in value.defaults() if isinstance(value, Estimator) else cls.options.get(outer, ()):
                owners.setdefault(part, outer)
        return owners

    @classmethod
    def meant(cls, name: str, parameters: Mapping[str, Any]) -> str:
        """Return the sentence " Did you mean …?" for a name that is no parameter: a part of one, or the nearest of all."""
        owners = cls.part_owners(parameters)
        near = "" if name in owners else nearest(name, parameters)
        parts = [] if near else difflib.get_close_matches(name, owners, n=1, cutoff=0.6)
        return near or "".join(f" Did you mean {owners[part]}.{part} ({owners[part]}__{part} in Python)?" for part in parts)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; with `deep`, also those of nested estimators and options as `outer__inner`."""
        params = {name: getattr(self, name) for name in self.parameter_names()}
        if deep:
            for name, value in list(params.items()):
                inner = value.get_params() if is_estimator(value) else value if isinstance(value, dict) else {}
                params.update({f"{name}__{key}": part for key, part in inner.items()})
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, nested ones as `outer__inner`. Raises `ParameterError` for an unknown name."""
        nested: dict[str, dict[str, Any]] = {}
        names = self.parameter_names()
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in names:
                known = f"{self.meant(name, self.get_params(deep=False))} Known: {', '.join(names)}."
                raise ParameterError(f"Invalid parameter '{name}': {type(self).__name__} has no such parameter.{known}")
            if inner:
                nested.setdefault(name, {})[inner] = value
            else:
                setattr(self, name, value)
        for name, values in nested.items():
            outer = getattr(self, name)
            if is_estimator(outer):  # a copy: the old one may be shared with other estimators
                setattr(self, name, clone(outer).set_params(**values))
            elif isinstance(outer, dict) or outer is None:
                setattr(self, name, {**(outer or {}), **values})
            else:
                raise ParameterError(f"The '{name}' parameter of {type(self).__name__} has no parts. Got {outer!r} instead.")
        return self

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint."""
        check_parameters(type(self).__name__, self.constraints, self.get_params(deep=False))

    def __repr__(self) -> str:
        shown, defaults = [], self.defaults()
        for name, value in self.get_params(deep=False).items():
            plain = isinstance(value, (str, int, float, bool, tuple, type(None)))
            if not (plain and value == defaults[name]):
                array = hasattr(value, "shape") and np.ndim(value)
                shown.append(f"{name}=<array {value.shape}>" if array else f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def is_estimator(value: Any) -> bool:
    """Return whether a value has parameters of its own: it is an estimator, of this library or of scikit-learn's kind."""
    return hasattr(value, "get_params") and not isinstance(value, type)


def clone(estimator: Any) -> Any:
    """Return an unfitted copy of an estimator and its nested ones; scikit-learn clones what is not of this library."""
    if not isinstance(estimator, Estimator):
        from sklearn.base import clone as clone_of_sklearn

        return clone_of_sklearn(estimator, safe=False)
    params = estimator.get_params(deep=False)
    return type(estimator)(**{name: clone(v) if is_estimator(v) else copy.copy(v) for name, v in params.items()})


def not_fitted(estimator: Any) -> Exception:
    """scikit-learn's error for an estimator that is used before `fit`; it is a ValueError and an AttributeError."""
    from sklearn.exceptions import NotFittedError

    return NotFittedError(f"This {type(estimator).__name__} instance is not fitted yet; call fit first.")


def seed_sequence(random_state: Any) -> np.random.SeedSequence:
    """Return a seed sequence from an integer, a Generator or RandomState (which it advances), a SeedSequence, or None.

    Raises `ParameterError` for anything else.
    """
    content = b""  # entropy as one integer can be hashed and written to a model file, unlike a list of them
    if isinstance(random_state, np.random.SeedSequence):
        if isinstance(random_state.entropy, (int, np.integer)):
            return np.random.SeedSequence(random_state.entropy, spawn_key=random_state.spawn_key)
        content = random_state.generate_state(4).astype("<u4").tobytes()
    if isinstance(random_state, (np.random.Generator, np.random.RandomState)):
        content = random_state.bytes(16)
    if content:
        return np.random.SeedSequence(int.from_bytes(content, "little"))
    if random_state is None or (isinstance(random_state, (int, np.integer)) and random_state >= 0):
        return np.random.SeedSequence(random_state)
    raise ParameterError(
        f"The 'random_state' parameter must be an integer in [0, inf), a NumPy Generator, RandomState or SeedSequence, or None."
        f" Got {random_state!r} instead."
    )


def sklearn_tags(classifier: bool) -> Any:
    """scikit-learn's tags for an estimator of sequences, built when scikit-learn asks for them."""
    from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

    return Tags(
        estimator_type="classifier" if classifier else "regressor",
        target_tags=TargetTags(required=False, multi_output=not classifier, single_output=True),
        classifier_tags=ClassifierTags() if classifier else None,
        regressor_tags=None if classifier else RegressorTags(),
        input_tags=InputTags(two_d_array=True),
    )
