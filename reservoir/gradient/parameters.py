"""The parameters of a network trained by gradient: their constraints, their defaults, and the network that they describe."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from reservoir.base.estimator import parameter
from reservoir.base.sequence_estimator import SequenceEstimator
from reservoir.gradient.cells.base import Cell
from reservoir.gradient.initializers import MATRIX_INITIALIZERS, RECURRENT_INITIALIZERS
from reservoir.gradient.network import Network
from reservoir.gradient.symbols import Symbols
from reservoir.gradient.training import Training
from reservoir.validation import Choice, Number, refused

DEFAULT_TRAINING = Training()


@dataclass(eq=False, repr=False)
class RecurrentParameters(SequenceEstimator):
    """The parameters of a `RecurrentEstimator`, whose docstring explains them."""

    cell_class: ClassVar[type[Cell]]
    for_labels: ClassVar[str] = "loss='cross_entropy'"
    for_feedback: ClassVar[tuple[str, str, str]] = ("feedback", "True", "False")

    units: int = parameter(32, Number(low=1, integer=True))
    layers: int = parameter(1, Number(low=1, integer=True))
    bidirectional: bool = parameter(False, Choice((True, False)))
    feedback: bool = parameter(False, Choice((True, False)))
    loss: str = parameter("squared_error", Choice(("squared_error", "cross_entropy")))
    pooling: str = parameter("last", Choice(("last", "mean", "attention")))
    washout: int = parameter(0, Number(low=0, integer=True))
    dropout: float = parameter(0.0, Number(low=0, high=1, open_high=True))
    dropout_mask: str = parameter("step", Choice(("step", "sequence")))
    layer_norm: bool = parameter(False, Choice((True, False)))
    residual: bool = parameter(False, Choice((True, False)))
    symbols: str | None = parameter(None, Choice((None, "one-hot", "learned")))
    symbol_size: int = parameter(16, Number(low=1, integer=True))
    input_init: str = parameter("glorot", MATRIX_INITIALIZERS)
    recurrent_init: str = parameter("orthogonal", RECURRENT_INITIALIZERS)
    init_scale: float = parameter(0.1, Number(low=0, open_low=True))
    bias_init: str = parameter("zeros", Choice(("zeros", "normal")))
    standardize: bool = parameter(True, Choice((True, False)))
    training: Training = parameter(DEFAULT_TRAINING, Choice((), (Training,), "a Training"))  # noqa: RUF009
    dtype: str = parameter("float32", Choice(("float32", "float64")))
    random_state: Any = None

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint, of the training's too."""
        super().check()
        self.training.check()
        for name, needed in (("bidirectional", False), ("symbols", None), ("loss", "squared_error")):
            if self.feedback and (value := getattr(self, name)) != needed:
                raise refused(name, type(self).__name__, f"{needed!r} with feedback", repr(value))

    def _cell(self) -> Cell:
        """Return the cell of a layer: its fields are parameters of the same names."""
        return self.cell_class(**{field.name: getattr(self, field.name) for field in fields(self.cell_class)})

    @staticmethod
    def catalog() -> dict[str, dict[str, str]]:
        """Return the names that parameters accept beyond their constraints: none."""
        return {}

    @classmethod
    def sized(cls, budget: int, n_inputs: int, n_outputs: int, **parameters: Any) -> int:
        """Return the number of units with which a network has the number of weights nearest to `budget`, the smaller on a tie."""

        def weights(units: int) -> int:
            model = cls(**{**parameters, "units": units})
            model.check()
            return model._network(n_inputs, n_outputs, True, 1).n_weights

        units = int(cls._least_units(**parameters))
        while weights(units + 1) <= budget:
            units += 1
        return units if budget - weights(units) <= weights(units + 1) - budget else units + 1

    @classmethod
    def _least_units(cls, **parameters: Any) -> int:
        return 1

    def _network(self, n_inputs: int, n_outputs: int, per_step: bool, alphabet: int) -> Network:
        size = self.symbol_size if self.symbols == "learned" else None
        symbols = None if self.symbols is None else Symbols(alphabet, size)
        reading, dropout = "step" if per_step else self.pooling, (self.dropout, self.dropout_mask)
        cells, n_inputs = (self._cell(),) * self.layers, n_inputs + n_outputs * self.feedback
        shape = (n_inputs, n_outputs, self.bidirectional, reading, symbols, self.layer_norm)
        return Network(cells, *shape, *dropout, residual=self.residual)

    @property
    def _classifies(self) -> bool:
        return self.loss == "cross_entropy"
