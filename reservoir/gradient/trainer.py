"""The loop of training: epochs, batches, what is watched, kept, and written to a checkpoint.

Every random number of an epoch is drawn from the seed and the epoch's number, so that a training that was stopped goes on
as if it never had been. Sequences run in groups of `batches.CHUNK`, the groups side by side on our threads and BLAS on one,
and are added up in order: the same bits whatever the number of threads.
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
"""What turns a batch into updates of the weights, by `Training.algorithm`."""

Progress = Callable[[Mapping[str, Any], int], None]
ORDER, MASKS, NOISE = range(3)  # what random numbers are for
WATCHED_AT_ONCE = 256
"""Sequences of a batch of which only the loss is wanted."""


@dataclass(frozen=True)
class Trainer:
    """What stays the same through a training.

    Attributes
    ----------
    loss : a name of `LOSSES`
    seed : source of order, dropout and noise
    fingerprint : tells data and settings apart, so that no checkpoint of another training is resumed
    progress : called after each epoch with its record and the number of epochs
    """

    network: Network
    settings: Training
    loss: str
    seed: np.random.SeedSequence
    fingerprint: str
    progress: Progress | None = None

    def train(self, vector: np.ndarray, training: Examples, validation: Examples | None) -> Progression:
        """Train the weights `vector`, in place, to those that are to be used. `validation` is only watched.

        Raises
        ------
        DivergenceError
            The loss is NaN or infinite in the first epoch. In a later one that ends the training, with a warning and the
            best weights so far.
        DataError, ParameterError
            What cannot be cut; a network that the algorithm does not suit; a checkpoint of another training.
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
            watched = None if validation is None else list(self._batches(validation, WATCHED_AT_ONCE))
            before = now.history[-1]["seconds"] if now.history else 0.0
            started = time.perf_counter() - before
            while len(now.history) < settings.epochs and not self._out_of_patience(now):
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

    def _out_of_patience(self, now: Progression) -> bool:
        patience = self.settings.patience
        return patience is not None and len(now.history) - 1 - now.best_epoch >= patience

    def _keep(self, now: Progression, record: dict[str, Any], watched: np.ndarray) -> bool:
        """Enter an epoch in the history, and keep the weights `watched` if it is the best; whether training can go on."""
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
        """Warn that an epoch went wrong; raise `DivergenceError` if it is the first."""
        losses = {"training loss": record["loss"], "validation loss": record["validation_loss"]}
        wrong = [f"{name} became {loss}" for name, loss in losses.items() if loss is not None and not math.isfinite(loss)]
        text = f"The {wrong[0] if wrong else 'weights became infinite or NaN'} in epoch {record['epoch']}"
        advice = LEARNERS[self.settings.algorithm].remedy
        if now.best_epoch < 0:
            raise DivergenceError(f"{text}, before there were weights to keep; {advice}.")
        warnings.warn(f"{text}; the weights of epoch {now.best_epoch} are kept. To go further, {advice}.", stacklevel=5)

    def _batches(self, examples: Examples, size: int, epoch: int | None = None) -> Iterator[tuple[float, list[Batch]]]:
        """Batches in chunks, each with its share of the sequences; shuffled for an epoch."""
        shuffle = None if epoch is None else self._generator(ORDER, epoch)
        for indices in batches(examples, size, shuffle):
            yield len(indices) / len(examples), assemble(examples, indices, self.loss, self.settings.reduction)

    @np.errstate(over="ignore", invalid="ignore")  # the loss will tell
    def _epoch(self, learner: Learner, now: Progression, chunked: Iterable[tuple[float, list[Batch]]]) -> dict[str, Any]:
        """One pass through the data, and its record."""
        settings, epoch = self.settings, len(now.history)
        rate = learning_rate(
            settings.schedule, settings.learning_rate, epoch, settings.epochs, settings.schedule_decay, settings.schedule_every
        )
        noise = self._generator(NOISE, epoch) if settings.gradient_noise > 0.0 else None
        started = time.perf_counter()
        loss = norm = 0.0
        steps = updates = 0
        for number, (share, chunks) in enumerate(chunked):
            masks = self._seed(MASKS, epoch, number) if self.network.dropout > 0.0 else None
            found = learner.batch(chunks, now.updates, rate, noise, masks)
            loss += found.loss * share
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

    def _mean_loss(self, weights: Weights, chunked: list[tuple[float, list[Batch]]]) -> float:
        """The loss without dropout, as in an epoch's record."""
        total = 0.0
        for share, chunks in chunked:
            for chunk in chunks:
                with np.errstate(over="ignore", invalid="ignore"):  # the loss shows it
                    outputs = forward(self.network, weights, chunk).outputs
                total += loss_of(outputs, chunk, self.loss)[0] * share
        return total

    def _seed(self, *key: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, *key))

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(self._seed(*key))
