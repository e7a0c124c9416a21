"""The loop of training: epochs, batches, the validation loss, the best weights, and checkpoints.

Every random number of an epoch is drawn from the seed and the epoch's number, so that a resumed training continues as if it
never stopped. Groups of `batches.CHUNK` sequences run side by side on the library's threads, BLAS on one, and their gradients
are added in order: the number of threads changes no bit.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from reservoir.base.threads import one_blas_thread, thread_count
from reservoir.gradient.batches import Examples, assemble, batches, windows
from reservoir.gradient.checkpoint import Progression, start_from_checkpoint, write_checkpoint
from reservoir.gradient.learners import Learner
from reservoir.gradient.network import Batch, Network, Weights, forward, loss_of
from reservoir.gradient.real_time.kalman import KalmanLearner
from reservoir.gradient.real_time.learner import RealTimeLearner
from reservoir.gradient.schedules import learning_rate
from reservoir.gradient.training import Training
from reservoir.validation import DivergenceError

LEARNERS: Mapping[str, type[Learner]] = {
    "bptt": Learner, "rtrl": RealTimeLearner, "ekf": KalmanLearner, "ekf_decoupled": KalmanLearner,
}  # fmt: skip
"""The class that turns a batch into updates of the weights, by `Training.algorithm`."""

Progress = Callable[[Mapping[str, Any], int], None]
ORDER, MASKS, NOISE = range(3)  # uses of random numbers
VALIDATION_BATCH = 256
"""Sequences of a validation batch."""


@dataclass(frozen=True)
class Trainer:
    """The constants of a training.

    Attributes
    ----------
    loss : a name of `LOSSES`
    seed : source of order, dropout and noise
    fingerprint : identifies data and settings, so that no checkpoint of another training is resumed
    progress : called after each epoch with its record and the number of epochs
    """

    network: Network
    settings: Training
    loss: str
    seed: SeedSequence
    fingerprint: str
    progress: Progress | None = None

    def train(self, vector: np.ndarray, training: Examples, validation: Examples | None) -> Progression:
        """Train the weights `vector` in place; `validation` only decides which epoch's weights they become.

        Raises
        ------
        DivergenceError
            The loss is NaN or infinite in the first epoch. In a later one training ends with a warning and the best weights.
        DataError, ParameterError
            The data cannot be cut; the algorithm does not suit the network; the checkpoint is of another training.
        """
        settings = self.settings
        LEARNERS[settings.algorithm].check(self.network, settings)
        training = windows(training, settings.window)
        with one_blas_thread(), ThreadPoolExecutor(thread_count()) as pool:
            learner = LEARNERS[settings.algorithm](self.network, vector, settings, self.loss, pool)
            now = Progression(vector, learner.state, vector.copy())
            if settings.checkpoint is not None:
                start_from_checkpoint(settings.checkpoint, now, self.fingerprint)
            only = list(self._batches(training, settings.batch_size)) if len(training) <= settings.batch_size else None
            watched = None if validation is None else list(self._batches(validation, VALIDATION_BATCH))
            started = time.perf_counter() - (now.history[-1]["seconds"] if now.history else 0.0)
            patience = math.inf if settings.patience is None else settings.patience
            while len(now.history) < settings.epochs and len(now.history) - 1 - now.best_epoch < patience:
                chunked = only or self._batches(training, settings.batch_size, len(now.history))
                record = self._epoch(learner, now, chunked)
                if watched is not None:
                    record["validation_loss"] = self._mean_loss(learner.weights, watched)
                record["seconds"] = time.perf_counter() - started
                if not self._keep(now, record, learner.before if validation is None else vector):
                    break
                if self.progress is not None:
                    self.progress(record, settings.epochs)
        if validation is not None or len(now.history) < settings.epochs:
            vector[:] = now.best
        return now

    def _keep(self, now: Progression, record: dict[str, Any], watched: np.ndarray) -> bool:
        """Add an epoch to the history, keep the weights `watched` if it is the best, and return whether training may continue."""
        validation = record["validation_loss"]
        loss = record["loss"] if validation is None else validation
        if not (math.isfinite(record["loss"]) and math.isfinite(loss) and np.isfinite(now.weights).all()):
            self._diverged(now, record)
            return False
        now.history.append(record)
        if loss < now.best_loss:
            now.best_loss, now.best_epoch = loss, record["epoch"]
            now.best[:] = watched
        path, done = self.settings.checkpoint, len(now.history)
        if path is not None and (done % self.settings.checkpoint_every == 0 or done == self.settings.epochs):
            write_checkpoint(path, now, self.fingerprint)
        return True

    def _diverged(self, now: Progression, record: dict[str, Any]) -> None:
        """Warn of an epoch whose loss or weights are not finite; raise `DivergenceError` if it is the first."""
        losses = {"training loss": record["loss"], "validation loss": record["validation_loss"]}
        wrong = [f"{name} became {loss}" for name, loss in losses.items() if loss is not None and not math.isfinite(loss)]
        text = f"The {wrong[0] if wrong else 'weights became infinite or NaN'} in epoch {record['epoch']}"
        advice = LEARNERS[self.settings.algorithm].remedy
        if now.best_epoch < 0:
            raise DivergenceError(f"{text}, before there were weights to keep; {advice}.")
        warnings.warn(f"{text}; the weights of epoch {now.best_epoch} are kept. To go further, {advice}.", stacklevel=5)

    def _batches(self, examples: Examples, size: int, epoch: int | None = None) -> Iterator[tuple[float, list[Batch]]]:
        """Batches in chunks, each with its share of the sequences; shuffled for an epoch."""
        shuffle = None if epoch is None else np.random.default_rng(self._seed(ORDER, epoch))
        for indices in batches(examples, size, shuffle):
            yield len(indices) / len(examples), assemble(examples, indices, self.loss, self.settings.reduction)

    @np.errstate(over="ignore", invalid="ignore")  # the loss shows it
    def _epoch(self, learner: Learner, now: Progression, chunked: Iterable[tuple[float, list[Batch]]]) -> dict[str, Any]:
        """One pass through the data, and its record."""
        settings, epoch = self.settings, len(now.history)
        decay = (settings.schedule_decay, settings.schedule_every)
        rate = learning_rate(settings.schedule, settings.learning_rate, epoch, settings.epochs, *decay)
        noise = np.random.default_rng(self._seed(NOISE, epoch)) if settings.gradient_noise > 0.0 else None
        started, before = time.perf_counter(), now.updates
        loss = norm = steps = 0.0
        for number, (share, chunks) in enumerate(chunked):
            masks = self._seed(MASKS, epoch, number) if self.network.dropout > 0.0 else None
            found = learner.batch(chunks, now.updates, rate, noise, masks)
            loss += found.loss * share
            norm += found.norm
            steps += found.steps
            now.updates += found.updates
            if not math.isfinite(found.loss):
                break
        norm, speed = norm / max(now.updates - before, 1), steps / (time.perf_counter() - started)
        record = {"epoch": epoch, "loss": loss, "validation_loss": None, "gradient_norm": norm}
        return {**record, "seconds": 0.0, "steps_per_second": speed}

    @np.errstate(over="ignore", invalid="ignore")  # the loss shows it
    def _mean_loss(self, weights: Weights, chunked: list[tuple[float, list[Batch]]]) -> float:
        """Return the loss without dropout, as in an epoch's record."""
        total = 0.0
        for share, chunks in chunked:
            for chunk in chunks:
                total += loss_of(forward(self.network, weights, chunk).outputs, chunk, self.loss)[0] * share
        return total

    def _seed(self, *key: int) -> SeedSequence:
        return SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, *key))
