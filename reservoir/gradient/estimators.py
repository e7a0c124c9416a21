"""The estimators trained by gradient, one for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from reservoir.gradient.cells.base import Cell
from reservoir.gradient.cells.clockwork import ClockworkCell
from reservoir.gradient.cells.elman import ElmanCell
from reservoir.gradient.cells.gru import GRUCell
from reservoir.gradient.cells.indrnn import IndRNNCell
from reservoir.gradient.cells.lstm import LSTMCell
from reservoir.gradient.cells.mgu import MGUCell
from reservoir.gradient.recurrent import Recurrent
from reservoir.kernels.activations import CODES
from reservoir.validation import Choice, Constraint, Number, ParameterError

POWERS_OF_TWO = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(eq=False, repr=False)
class Elman(Recurrent):
    """Simple recurrent network (Elman 1990): h(t) = f(x(t) W + h(t-1) U + b).

    activation : f: "tanh" or "relu"
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {**Recurrent.constraints, "activation": Choice(("tanh", "relu"))}

    activation: str = "tanh"

    def _cell(self) -> Cell:
        return ElmanCell(self.units, self.activation)


@dataclass(eq=False, repr=False)
class LSTM(Recurrent):
    """Long short-term memory with forget gates (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000).

    peepholes : whether the gates see the cell (Gers & Schmidhuber 2000)
    forget_bias : added to the initial bias of the forget gates
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        **Recurrent.constraints,
        "peepholes": Choice((True, False)),
        "forget_bias": Number(),
    }

    peepholes: bool = False
    forget_bias: float = 1.0

    def _cell(self) -> Cell:
        return LSTMCell(self.units, self.peepholes, self.forget_bias)


@dataclass(eq=False, repr=False)
class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014).

    reset : where the reset gate acts, "before" the recurrent product of the candidate or "after" it
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {**Recurrent.constraints, "reset": Choice(("before", "after"))}

    reset: str = "after"

    def _cell(self) -> Cell:
        return GRUCell(self.units, self.reset)


@dataclass(eq=False, repr=False)
class MGU(Recurrent):
    """Minimal gated unit (Zhou, Wu, Zhang & Zhou 2016): one gate that forgets and resets."""

    def _cell(self) -> Cell:
        return MGUCell(self.units)


@dataclass(eq=False, repr=False)
class IndRNN(Recurrent):
    """Independently recurrent network (Li et al. 2018): each unit reads itself alone, h(t) = f(x(t) W + u h(t-1) + b).

    activation : f: "relu" or "tanh"
    recurrent_bound : u is drawn uniformly from 0 to this; `recurrent_init` is not used
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        **Recurrent.constraints,
        "activation": Choice(("relu", "tanh")),
        "recurrent_bound": Number(low=0, open_low=True),
    }

    activation: str = "relu"
    recurrent_bound: float = 1.0

    def _cell(self) -> Cell:
        return IndRNNCell(self.units, self.activation, self.recurrent_bound)


@dataclass(eq=False, repr=False)
class ClockworkRNN(Recurrent):
    """Clockwork RNN (Koutnik, Greff, Gomez & Schmidhuber 2014): modules of units that run at different periods.

    Module i runs at the steps t = 0, T_i, 2 T_i, ... and keeps its state in between; it reads the modules as slow or slower.
    periods : T_i, ascending, one for each module; units that do not divide evenly go to the faster modules
    activation : f: "tanh", "sigmoid", "relu" or "identity"
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        **Recurrent.constraints,
        "periods": Number(low=1, high=2**31 - 1, integer=True, array=True),
        "activation": Choice(tuple(CODES)),
    }

    periods: Sequence[int] = POWERS_OF_TWO
    activation: str = "tanh"

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint."""
        super().check()
        periods = self._periods()
        if any(a >= b for a, b in pairwise(periods)):
            raise ParameterError(
                f"The 'periods' parameter of ClockworkRNN must ascend, none twice. Got {self.periods!r} instead."
            )
        if len(periods) > self.units:
            raise ParameterError(
                f"The 'periods' parameter of ClockworkRNN names {len(periods)} modules, more than there are units"
                f" ({self.units}); give fewer periods or more units."
            )

    def _periods(self) -> tuple[int, ...]:
        return tuple(int(period) for period in np.atleast_1d(self.periods))

    @classmethod
    def _least_units(cls, **parameters: Any) -> int:
        return len(cls(**parameters)._periods())

    def _cell(self) -> Cell:
        return ClockworkCell(self.units, self._periods(), self.activation)
