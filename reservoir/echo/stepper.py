"""A network that goes on from a state, by one row or by many."""

from __future__ import annotations

import numpy as np

from reservoir.base.state import State
from reservoir.echo.network import FittedNetwork
from reservoir.kernels.drive import scratch_for
from reservoir.kernels.freerun import freerun
from reservoir.validation import DivergenceError


class Stepper:
    """A fitted network with the buffers of a step, which are made once; the same bits as in one run, however it is cut.

    One row takes a single call of compiled code where the readout is linear and computes in the type of the reservoir.
    """

    def __init__(self, network: FittedNetwork) -> None:
        reservoir, layout, kind = network.reservoir, network.layout, network.reservoir.dtype
        self.network, self.closed = network, reservoir.feedback_weights.shape[1] > 0
        self.compiled = network.readout.linear and (self.closed or kind == np.float64)
        self.limit = network.limit if self.closed else float(np.finfo(kind).max)
        if self.compiled:
            self.weights, self.readout = reservoir.weights, network.readout_weights(kind)
            self.scratch = scratch_for(self.weights)
            self.inputs = np.zeros((1, 1, layout.n_inputs), kind)
            self.outputs, self.completed = np.zeros((1, 1, layout.n_outputs), kind), np.zeros(1, np.int64)

    def run(self, inputs: np.ndarray, state: State) -> np.ndarray:
        """Return the outputs (T, O) for inputs (T, I) after a state, which becomes that after them.

        Raises `DivergenceError` where an output leaves the limit.
        """
        if len(inputs) == 1 and self.compiled:
            return self._step(inputs, state)
        if self.closed:
            outputs = self.network.closed_loop(state.values, state.output, len(inputs), inputs[None], first_step=state.time)[0]
        else:
            [outputs] = self.network.outputs([inputs], state.values)
            state.output[:] = outputs[-1]
        state.time += len(inputs)
        return outputs

    def _step(self, inputs: np.ndarray, state: State) -> np.ndarray:
        """`run` of one row in compiled code."""
        self.inputs[0] = inputs
        freerun(
            self.weights, self.readout, self.inputs.shape[2],
            self.inputs, state.values, state.output, self.limit, self.outputs, self.completed, self.scratch,
        )  # fmt: skip
        if not self.completed[0]:
            if self.closed:
                raise self.network.diverged(state.time, 0)
            raise DivergenceError(
                f"The reservoir diverged: its output is no longer finite at step {state.time}; lower spectral_radius, or use"
                " tanh units."
            )
        state.time += 1
        return self.outputs[0].copy()
