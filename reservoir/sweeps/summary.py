"""All runs of a sweep as one table, and their statistics: ranking, importance of the parameters, progress of a search.

A run counts as done if its status says so and it has a score; any other has failed or was pruned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from reservoir.base.values import comparable

FEW = 20
"""Up to this number of values, each value of a parameter is a level of its own."""
SLICES = 10
"""The number of levels into which more values are cut."""
EVERY_SEED, FEWER_SEEDS, WITH_FAILURES, NOTHING = range(4)
"""Standings of a trial. Trials are ranked by their standing first, then by their mean."""


@dataclass(frozen=True)
class RunTable:
    """All runs of a sweep, R rows in the order of trials and seeds. A trial is one set of parameters, a run one with a seed."""

    about: Mapping[str, Any]  # task, model, metric, higher_is_better, split, strategy and more
    trials: Sequence[Mapping[str, Any]]  # parameters by name, nested ones as `readout__ridge`; plain JSON values; none if unused
    trial: np.ndarray  # (R,) integers, indices into `trials`
    seed: np.ndarray  # (R,) integers
    score: np.ndarray  # (R,) float64, NaN where the run failed or was pruned
    status: np.ndarray  # (R,) strings "done", "failed", "pruned"
    error: Sequence[str | None]  # R

    def varied(self) -> list[str]:
        """Return the parameters with several values, counting None where a trial lacks one, in the order they were varied in."""
        names = dict.fromkeys([*self.about.get("varied", ()), *(name for trial in self.trials for name in trial)])
        return [name for name in names if len({comparable(trial.get(name)) for trial in self.trials if trial}) > 1]

    def chosen(self, which: np.ndarray) -> RunTable:
        """Return the runs that are true in `which` (R,) as a table; unused trials lose their parameters, not their places."""
        used = set(self.trial[which].tolist())
        trials = [trial if number in used else {} for number, trial in enumerate(self.trials)]
        error = [text for text, is_chosen in zip(self.error, which, strict=True) if is_chosen]
        trial, seed, score, status = (column[which] for column in (self.trial, self.seed, self.score, self.status))
        return RunTable(self.about, trials, trial, seed, score, status, error)


@dataclass(frozen=True)
class Trials:
    """The M trials that have any run, in rising order, with statistics over their seeds; NaN where no run is done."""

    trial: np.ndarray  # (M,) integers, indices into the table's `trials`
    done: np.ndarray  # (M,) integers, numbers of runs
    failed: np.ndarray
    pruned: np.ndarray
    mean: np.ndarray  # (M,) of the scores of the runs done
    std: np.ndarray  # with divisor n - 1, and 0 of a single run
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    standing: np.ndarray  # (M,) EVERY_SEED, FEWER_SEEDS, WITH_FAILURES or NOTHING, see `ranking`

    @property
    def with_failures(self) -> np.ndarray:
        """(M,) whether some runs failed or were pruned, though not all."""
        return np.asarray(self.standing == WITH_FAILURES)

    def order(self, higher_is_better: bool) -> np.ndarray:
        """(M,) places in the arrays of all trials, the best first."""
        signed = np.where(np.isnan(self.mean), 0.0, -self.mean if higher_is_better else self.mean)
        return np.lexsort((self.trial, signed, self.standing))


def trials_of(table: RunTable) -> Trials:
    """Return the statistics of every trial that has a run."""
    trial, place = np.unique(table.trial, return_inverse=True)
    done = _done(table)
    pruned = (table.status == "pruned") & ~done
    runs, n, out = (np.bincount(place[chosen], minlength=len(trial)) for chosen in (slice(None), done, pruned))
    low, median, high, mean, std = _moments(place[done], table.score[done], n)
    return Trials(trial, n, runs - n - out, out, mean, std, median, low, high, _standing(runs, n))


def _done(table: RunTable) -> np.ndarray:
    return np.asarray((table.status == "done") & ~np.isnan(table.score))


def _moments(place: np.ndarray, score: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return least, median, largest, mean and standard deviation (M,) of the scores at M places, which hold n (M,) of them."""
    order = np.lexsort((score, place))  # sums do not depend on the order of the runs
    place, score = place[order], np.append(score[order], np.nan)
    first = np.cumsum(n) - n
    low, left, right, high = (score[np.where(n > 0, first + offset, -1)] for offset in (0, (n - 1) // 2, n // 2, n - 1))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # none, or infinite ones
        mean = np.bincount(place, score[:-1], len(n)) / n
        mean = np.where(low == high, low, mean)
        squares = np.bincount(place, np.square(score[:-1] - mean[place]), len(n))
        std = np.where(low == high, 0.0, np.sqrt(squares / (n - 1)))
        median = np.where(left == right, left, left / 2.0 + right / 2.0)
    return low, median, high, mean, np.where(n > 0, std, np.nan)


def _standing(runs: np.ndarray, done: np.ndarray) -> np.ndarray:
    clean = np.sort(done[runs == done])
    usual = clean[len(clean) // 2] if len(clean) else 0
    fewer = np.where(done < usual, FEWER_SEEDS, EVERY_SEED)
    return np.where(done == 0, NOTHING, np.where(done < runs, WITH_FAILURES, fewer))


def ranking(table: RunTable, top: int | None = None) -> list[dict[str, Any]]:
    """Rank every trial that has a run, the best first; or only the `top` best.

    Trials are ranked by the mean score over seeds, ties in the order of trials, within four classes: trials without a failed
    or pruned run; those of them with fewer seeds than the median, whose mean may be luck; trials with a failed or pruned run;
    trials with no run done.

    Returns
    -------
    `trial`: its index; `parameters`: those that vary; `n`, `failed`, `pruned`: numbers of runs; `mean`, `std` (divisor
    n - 1; 0 of a single one), `median`, `min`, `max` of the scores of the n done, None where there are none.

    >>> table = RunTable({"higher_is_better": False}, [{"units": 50}, {"units": 100}], np.array([0, 0, 1, 1]),
    ...               np.array([0, 1, 0, 1]), np.array([0.5, 0.7, 0.2, 0.4]), np.array(["done"] * 4), [None] * 4)
    >>> [(row["parameters"], round(row["mean"], 3)) for row in ranking(table)]
    [({'units': 100}, 0.3), ({'units': 50}, 0.6)]
    """
    trials = trials_of(table)
    order = trials.order(table.about["higher_is_better"])[:top]
    names = table.varied()
    scores = {"mean": trials.mean, "std": trials.std, "median": trials.median, "min": trials.low, "max": trials.high}
    columns = {"n": trials.done, "failed": trials.failed, "pruned": trials.pruned, **scores}
    columns = {name: column[order].tolist() for name, column in columns.items()}
    rows = []
    for place, trial in enumerate(trials.trial[order].tolist()):
        row = {name: column[place] for name, column in columns.items()} | ({} if columns["n"][place] else dict.fromkeys(scores))
        rows.append({"trial": trial, "parameters": {name: table.trials[trial].get(name) for name in names}, **row})
    return rows


class ProgressCurve(NamedTuple):
    """(M,) arrays: the trials in order, their mean scores, and the best mean so far, NaN before the first that counts."""

    trial: np.ndarray
    mean: np.ndarray
    best: np.ndarray


def progress_curve(table: RunTable) -> ProgressCurve:
    """Return how the best mean score changed. Only trials of the first class of `ranking` count: it ends at the first there."""
    trials = trials_of(table)
    worst, best_of = (-np.inf, np.maximum) if table.about["higher_is_better"] else (np.inf, np.minimum)
    counts = (trials.standing == trials.standing.min(initial=NOTHING)) & (trials.done > 0)
    best = best_of.accumulate(np.where(counts, trials.mean, worst))
    return ProgressCurve(trials.trial, trials.mean, np.where(np.cumsum(counts) > 0, best, np.nan))


def importance(table: RunTable) -> list[dict[str, Any]]:
    """Say which parameters mattered: the share of the variance of the score that each explains alone, the seed, and the rest.

    The share of a parameter is its first-order effect, from an analysis of variance without the bias of many levels (epsilon
    squared; Kelley 1935, "An unbiased correlation ratio measure", PNAS 21, 554-559):

        (SS_between - (k - 1) MS_error) / SS_total, not below 0

    for k levels: up to 20 values of a parameter are a level each, as are values that are not numbers; more numbers are cut into
    about 10 levels of as many runs each. MS_error is the mean square of the residuals of a least-squares fit of all effects,
    the seed's too; where the fit has as many parameters as runs, the mean square within the levels. Errors that are all
    positive enter as their logarithms.

    "interactions and noise" is MS_error / MS_total. In a full grid it and the shares sum to 1, but for those cut off at 0. In a
    search, above all one that learns (tpe, cmaes), parameters are correlated: what two explain alike is in the shares of both,
    which may sum to more. There they also describe the trials made, most of them near the best, not the space.

    Returns
    -------
    Dicts, the largest share first, unknown ones after them, and the rest last; none if nothing varies. `name`; `kind`:
    "parameter", "seed" (if there are several) or "rest"; `share` in [0, 1], None where it is unknown (one level, one run a
    level, scores all the same); `levels`: their number; `runs`: n, without those with an infinite score; `scale` of the score:
    "log10" or "linear".
    """
    runs = np.flatnonzero(_done(table) & np.isfinite(table.score))
    score = table.score[runs]
    logarithmic = bool(not table.about["higher_is_better"] and len(score) and score.min() > 0.0)
    score = np.log10(score) if logarithmic else score
    factors = [("parameter", name, _levels(table, name, runs)) for name in table.varied()]
    if len(np.unique(table.seed)) > 1:
        factors.append(("seed", "seed", np.unique(table.seed[runs], return_inverse=True)[1]))
    if not factors:
        return []
    common = {"runs": len(runs), "scale": "log10" if logarithmic else "linear"}
    known = [codes for *_, codes in factors if _is_known(codes, score)]
    error = _error(known, score) if known else None
    rows: list[dict[str, Any]] = []
    for kind, name, codes in factors:
        share = _share(codes, score, error) if _is_known(codes, score) else None
        rows.append({"name": name, "kind": kind, "share": share, "levels": _count(codes), **common})
    rows.sort(key=lambda row: np.inf if row["share"] is None else -row["share"])
    rest = None if error is None else min(1.0, error / float(score.var(ddof=1)))
    return [*rows, {"name": "interactions and noise", "kind": "rest", "share": rest, "levels": None, **common}]


def _count(codes: np.ndarray) -> int:
    return int(codes.max(initial=-1)) + 1


def _levels(table: RunTable, name: str, runs: np.ndarray) -> np.ndarray:
    """Return the level of a parameter in each of some runs, as integers from 0 without gaps."""
    values = [trial.get(name) for trial in table.trials]
    known: dict[Any, int] = {}
    codes = np.array([known.setdefault(comparable(value), len(known)) for value in values])
    numeric = np.array([type(value) in (int, float) for value in values])
    levels, inside = codes[table.trial[runs]], numeric[table.trial[runs]]
    if len(np.unique(levels[inside])) > FEW:
        numbers = np.array([value if is_number else 0.0 for value, is_number in zip(values, numeric, strict=True)], dtype=float)
        chosen = numbers[table.trial[runs]][inside]
        cuts = np.sort(chosen)[np.arange(1, SLICES) * len(chosen) // SLICES]
        levels[inside] = len(known) + np.searchsorted(np.unique(cuts), chosen, side="right")
    return np.unique(levels, return_inverse=True)[1]


def _is_known(codes: np.ndarray, score: np.ndarray) -> bool:
    return 1 < _count(codes) < len(score) and np.ptp(score) > 0.0


def _share(codes: np.ndarray, score: np.ndarray, error: float | None) -> float:
    """Return epsilon squared of levels (n,) for scores (n,). Without the error's mean square, that within the levels counts."""
    n, k = len(score), _count(codes)
    within = score - (np.bincount(codes, score) / np.bincount(codes))[codes]
    inside, total = float(within @ within), float(score.var()) * n
    noise = inside / (n - k) if error is None else error
    return min(max(0.0, (total - inside - (k - 1) * noise) / total), 1.0)


def _error(factors: Sequence[np.ndarray], score: np.ndarray) -> float | None:
    """Return the mean square of the residuals of a fit of all factors; None if it has as many parameters as runs."""
    largest, *others = sorted(factors, key=_count, reverse=True)  # eliminated first, so that a small system is solved
    size = np.bincount(largest)
    within = score - (np.bincount(largest, score) / size)[largest]
    residual, freedom = float(within @ within), len(score) - len(size)
    if others:
        crossed = np.hstack([_crossed(largest, codes) for codes in others])
        gram = np.block([[_crossed(a, b)[1:] for b in others] for a in others]) - crossed.T @ (crossed / size[:, None])
        sums = np.concatenate([np.bincount(codes, within)[1:] for codes in others])
        values, vectors = np.linalg.eigh(gram)
        independent = values > 1e-9 * len(score)
        residual -= float(np.sum(np.square(vectors[:, independent].T @ sums) / values[independent]))
        freedom -= int(independent.sum())
    return max(0.0, residual) / freedom if freedom > 0 else None


def _crossed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the numbers of runs (levels of a, levels of b - 1) at each pair of levels, without the first level of b."""
    rows, columns = _count(a), _count(b)
    return np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns)[:, 1:].astype(float)
