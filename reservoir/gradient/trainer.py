"""The loop of training: epochs, batches, what is watched, kept, and written to a checkpoint.

Every random number of an epoch is drawn from the seed and the epoch's number, so that a training that was stopped goes on
as if it never had been. Sequences run in groups of `batches.CHUNK`, the groups side by side on our threads and BLAS on one,
and are added up in order: the same bits whatever the number of threads.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reservoir.gradient.batches import Examples, assemble, batches, held_out, windows
from reservoir.gradient.checkpoint import read_checkpoint, write_checkpoint
from reservoir.gradient.learners import Learner
from reservoir.gradient.losses import LOSSES
from reservoir.gradient.network import Network, Weights, forward
from reservoir.gradient.schedules import learning_rate
from reservoir.gradient.training import Training
from reservoir.threads import one_blas_thread, thread_count
from reservoir.validation import DivergenceError

Progress = Callable[[Mapping[str, Any], int], None]
SPLIT, ORDER, MASKS, NOISE = range(4)  # what random numbers are for


@dataclass
class Progression:
    """How far a training is: all that a checkpoint must hold."""

    weights: np.ndarray
    state: np.ndarray
    best: np.ndarray
    best_loss: float = math.inf
    best_epoch: int = -1
    updates: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Trainer:
    """What stays the same through a training.

    Attributes
    ----------
    loss : a name of `LOSSES`
    seed : source of order, dropout, noise and of what is held out
    fingerprint : tells data and settings apart, so that no checkpoint of another training is resumed
    progress : called after each epoch with its record and the number of epochs
    """

    network: Network
    settings: Training
    loss: str
    seed: np.random.SeedSequence
    fingerprint: str
    progress: Progress | None = None

    def train(self, vector: np.ndarray, examples: Examples) -> Progression:
        """Train the weights `vector`, in place, to those that are to be used.

        Raises
        ------
        DivergenceError
            The loss is NaN or infinite in the first epoch. In a later one that ends the training, with a warning and the
            best weights so far.
        DataError, ParameterError
            What cannot be held out or cut; a checkpoint of another training.
        """
        settings = self.settings
        training, validation = held_out(examples, settings.validation_fraction, self._generator(SPLIT))
        training = windows(training, settings.window)
        with one_blas_thread(), ThreadPoolExecutor(thread_count()) as pool:
            learner = Learner(self.network, vector, settings, self.loss, pool)
            now = Progression(vector, learner.state, vector.copy())
            if settings.checkpoint is not None:
                read_checkpoint(settings.checkpoint, now, self.fingerprint)
            before = now.history[-1]["seconds"] if now.history else 0.0
            started = time.perf_counter() - before
            while len(now.history) < settings.epochs and not self._out_of_patience(now):
                record = self._epoch(learner, now, training)
                if validation is not None:
                    record["validation_loss"] = self._mean_loss(learner.weights, validation)
                record["seconds"] = time.perf_counter() - started
                if not self._keep(now, record):
                    break
                if self.progress is not None:
                    self.progress(record, settings.epochs)
        if validation is not None or len(now.history) < settings.epochs:
            vector[:] = now.best
        return now

    def _out_of_patience(self, now: Progression) -> bool:
        patience = self.settings.patience
        return patience is not None and len(now.history) - 1 - now.best_epoch >= patience

    def _keep(self, now: Progression, record: dict[str, Any]) -> bool:
        """Enter an epoch in the history; whether training can go on."""
        watched = record["loss"] if record["validation_loss"] is None else record["validation_loss"]
        if not (math.isfinite(record["loss"]) and math.isfinite(watched) and np.isfinite(now.weights).all()):
            text = f"The training loss became {record['loss']} in epoch {record['epoch']}"
            advice = "lower training.learning_rate or training.clip_norm"
            if now.best_epoch < 0:
                raise DivergenceError(f"{text}, before there were weights to keep; {advice}.")
            warnings.warn(f"{text}; the weights of epoch {now.best_epoch} are kept. To go further, {advice}.", stacklevel=4)
            return False
        now.history.append(record)
        if watched < now.best_loss:
            now.best_loss, now.best_epoch = watched, record["epoch"]
            now.best[:] = now.weights
        path, done = self.settings.checkpoint, len(now.history)
        if path is not None and (done % self.settings.checkpoint_every == 0 or done == self.settings.epochs):
            write_checkpoint(path, now, self.fingerprint)
        return True

    def _epoch(self, learner: Learner, now: Progression, training: Examples) -> dict[str, Any]:
        """One pass through the data, and its record."""
        settings, epoch = self.settings, len(now.history)
        rate = learning_rate(
            settings.schedule, settings.learning_rate, epoch, settings.epochs, settings.schedule_decay, settings.schedule_every
        )
        noise = self._generator(NOISE, epoch)
        started = time.perf_counter()
        loss = norm = 0.0
        steps = updates = 0
        shuffle = self._generator(ORDER, epoch) if len(training) > settings.batch_size else None
        for number, indices in enumerate(batches(training, settings.batch_size, shuffle)):
            chunks = assemble(training, indices, self.loss, settings.reduction)
            found = learner.batch(chunks, now.updates, rate, noise, self._seed(MASKS, epoch, number))
            loss += found.loss * len(indices) / len(training)
            norm += found.norm
            steps += found.steps
            updates += found.updates
            now.updates += found.updates
            if not math.isfinite(found.loss):
                break
        seconds = time.perf_counter() - started
        return {
            "epoch": epoch,
            "loss": loss,
            "validation_loss": None,
            "gradient_norm": norm / max(updates, 1),
            "seconds": 0.0,
            "steps_per_second": steps / seconds,
        }

    def _mean_loss(self, weights: Weights, examples: Examples) -> float:
        """The loss without dropout, as in an epoch's record."""
        total = 0.0
        for indices in batches(examples, 256, None):
            for chunk in assemble(examples, indices, self.loss, self.settings.reduction):
                rows = forward(self.network, weights, chunk).outputs.reshape(-1, self.network.n_outputs)
                value, _ = LOSSES[self.loss](rows, chunk.targets.reshape(rows.shape), chunk.loss_weights.reshape(-1))
                total += value * len(indices) / len(examples)
        return total

    def _seed(self, *key: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, *key))

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(self._seed(*key))
