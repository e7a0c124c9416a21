"""The settings of training by gradient, one small object that all estimators share."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from reservoir.base.estimator import Estimator, parameter
from reservoir.gradient.losses import REDUCTIONS
from reservoir.gradient.optimizers import OPTIMIZERS
from reservoir.gradient.schedules import DECAYS, SCHEDULES
from reservoir.validation import Choice, Number, ParameterError, check_parameters

ALGORITHMS = ("bptt", "rtrl", "ekf", "ekf_decoupled")
UNIT_INTERVAL = Number(low=0, high=1, open_high=True)
POSITIVE = Number(low=0, open_low=True)
COUNT = Number(low=1, integer=True)


@dataclass(eq=False, repr=False)
class Training(Estimator):
    """The settings of training a network by gradient.

    Parameters
    ----------
    epochs : passes through the data; 0 to draw the weights and train nothing
    batch_size : sequences of a mini-batch
    optimizer : "sgd", "momentum", "nesterov", "rmsprop", "adam" or "adamw"
    learning_rate : that of the first epoch
    momentum : decay of the velocity (momentum, nesterov)
    decay : decay of the mean squared gradient (rmsprop)
    beta1, beta2 : decay of the mean gradient and of the mean squared gradient (adam, adamw)
    schedule : "constant"; "step": times `schedule_decay` every `schedule_every` epochs; "exponential": times
        `schedule_decay` each epoch; "cosine": to zero at the end; "inverse": divided by 1 + schedule_decay * epoch
    clip_norm : upper limit of the gradient's norm, to which longer ones are scaled; None for none
    weight_decay : L2 penalty's factor; with adamw the decoupled decay
    gradient_noise : eta of the Gaussian noise of variance eta / (1 + t)^.55 added to the gradient at update t
    reduction : "mean" of the loss over steps and outputs, or "sum" over both; the mean over sequences either way
    window : sequences with targets per step are cut into pieces of this many steps, each of them trained from the zero
        state. Pieces overlap by the washout, so that every step counts once, except that the last piece starts early
        enough to be full: the steps that it shares with the piece before count twice. None for whole sequences
    truncation : (k1, k2): an update every k1 steps, with gradients through the last k2, the state carried on; None to
        go through whole sequences
    validation_fraction : share of the sequences, or of the steps of the only one at its end, on which the loss is
        watched and never trained
    patience : epochs without a better loss (validation if there is any) after which training stops; None for no limit
    algorithm : "bptt"; "rtrl": real-time recurrent learning, exact and forward in time, with an update every k1 steps or
        at the end of the sequences; "ekf", "ekf_decoupled": extended Kalman filter with one covariance for all weights or
        one for each unit, which is updated every k1 steps or each step, with all sequences of the batch at once. All but
        the first are for small networks, in one direction and without dropout; they have no use for k2
    kalman_covariance : initial variance of the weights, in units of the measurement noise (squared error: of the targets,
        as they are scaled)
    kalman_process : variance of the process noise that is added to each weight at each update, in the same units; it
        falls as `schedule` says. Of the settings above, those from `optimizer` to `reduction` but for the schedule are not
        the filter's
    checkpoint : file in which training is kept every `checkpoint_every` epochs, and from which it is resumed

    With validation, and where `patience` or a loss that is not finite ends the training, the weights of the best epoch are
    used, otherwise those of the last.
    """

    epochs: int = parameter(300, Number(low=0, integer=True))
    batch_size: int = parameter(32, COUNT)
    optimizer: str = parameter("adam", Choice(tuple(OPTIMIZERS)))
    learning_rate: float = parameter(3e-3, POSITIVE)
    momentum: float = parameter(0.9, UNIT_INTERVAL)
    decay: float = parameter(0.999, UNIT_INTERVAL)
    beta1: float = parameter(0.9, UNIT_INTERVAL)
    beta2: float = parameter(0.999, UNIT_INTERVAL)
    schedule: str = parameter("constant", Choice(tuple(SCHEDULES)))
    schedule_decay: float = parameter(0.95, Number(low=0))
    schedule_every: int = parameter(10, COUNT)
    clip_norm: float | None = parameter(1.0, Number(low=0, open_low=True, optional=True))
    weight_decay: float = parameter(0.0, Number(low=0))
    gradient_noise: float = parameter(0.0, Number(low=0))
    reduction: str = parameter("mean", REDUCTIONS)
    window: int | None = parameter(None, Number(low=1, integer=True, optional=True))
    truncation: Sequence[int] | None = parameter(None, Choice((None,), (tuple, list), "a pair (k1, k2) of positive integers"))
    validation_fraction: float = parameter(0.0, UNIT_INTERVAL)
    patience: int | None = parameter(None, Number(low=1, integer=True, optional=True))
    algorithm: str = parameter("bptt", Choice(ALGORITHMS))
    kalman_covariance: float = parameter(1.0, POSITIVE)
    kalman_process: float = parameter(1e-4, Number(low=0))
    checkpoint: str | None = parameter(None, Choice((None,), (str,), "the name of a file"))
    checkpoint_every: int = parameter(10, COUNT)

    def check(self) -> None:
        """Raise `ParameterError` for the first parameter out of its constraint."""
        super().check()
        if self.schedule in DECAYS:
            owner, decay = f"Training with schedule={self.schedule!r}", {"schedule_decay": DECAYS[self.schedule]}
            check_parameters(owner, decay, {"schedule_decay": self.schedule_decay})
        pair = self.truncation
        if pair is not None and (len(pair) != 2 or not all(COUNT.accepts(k) for k in pair) or pair[1] < pair[0]):
            raise ParameterError(
                f"The 'truncation' parameter of Training must be (k1, k2), positive integers with k1 <= k2. Got {pair!r} instead."
            )

    def check_use(self, bidirectional: bool, per_step: bool, seeded: bool) -> None:
        """Raise `ParameterError` where the settings do not suit a network, its targets, or its `random_state`.

        Warns of changed settings that the optimizer does not read.
        """
        read = OPTIMIZERS[self.optimizer].settings
        for name in {name for optimizer in OPTIMIZERS.values() for name in optimizer.settings} - set(read):
            if getattr(self, name) != getattr(type(self)(), name):
                warnings.warn(
                    f"The '{name}' parameter of Training has no effect with optimizer='{self.optimizer}', which reads"
                    f" {', '.join(read) or 'none of its kind'}.",
                    stacklevel=3,
                )
        if self.truncation is not None and (bidirectional or not per_step):
            raise ParameterError(
                "The 'truncation' parameter of Training needs targets per step and one direction: what comes later in a"
                " sequence must not be needed for an update. Set it to None."
            )
        if self.checkpoint is not None and not seeded:
            raise ParameterError(
                "The 'random_state' parameter must not be None with training.checkpoint, or no training could be resumed."
            )
