"""Golden numbers of every task that makes its own data: no constant of a generator changes unnoticed.

The numbers are what `fingerprint` gave when the tasks agreed with the second writings of them in the tests of the tasks.
To renew one after a change that is meant: print `fingerprint(name, options)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from reservoir.tasks import get_task, list_tasks
from reservoir.tasks.base import Split

FEW = {"train_sequences": 40, "validation_sequences": 20, "test_sequences": 30}
BRIEF = {"train_length": 40, "washout": 10, "history": 20, "starts": 2}  # rounding grows along a chaotic record

CASES: list[tuple[tuple[str, Mapping[str, Any]], tuple[float, float]]] = [
    (("narma10", {}), (13.290574057555023, -0.9611687346586346)),
    (("narma20", {}), (-0.41093813622657205, 0.4533904815840235)),
    (("narma30", {}), (-3.061195164190571, -3.88664949515775)),
    (("memory-capacity", {"train_length": 500, "test_length": 400}), (29.836593494207605, -113.34797620633145)),
    (("delayed-recall", {}), (1.220417341146895, 17.351360471474806)),
    (("parity", {}), (27.1285310238125, -79.44944924867546)),
    (("channel-equalization", {}), (17.52431389836354, 41.25495420230663)),
    (("waveform", {"tone": 1}), (0.0, -0.5562576520837039)),
    (("waveform", {"tone": 2}), (0.0, -1.1551377787458947)),
    (("waveform", {"tone": 3}), (0.0, -2.343956305720769)),
    (("waveform", {"tone": 4}), (0.0, 0.09650472423525547)),
    (("waveform", {"tone": 5}), (0.0, -3.4821846271362316)),
    (("copy", FEW), (3.581751191691194, 110.06628301118118)),
    (("reber", FEW), (-33.88790158520238, -45.53039383447052)),
    (("mackey-glass", BRIEF), (0.7112857297895353, 0.5593437156114931)),
    (("lorenz", {**BRIEF, "steps": 50}), (-16.295715421238246, -17.91715822301988)),
    (("rossler", {**BRIEF, "steps": 50}), (-13.958969057057807, -21.043334753785864)),
    (("kuramoto-sivashinsky", {**BRIEF, "steps": 50}), (-0.6200625425575241, -3.2418859414407204)),
    (("henon", {**BRIEF, "steps": 50}), (-5.391158324698179, 5.572068257228194)),
    (("mso", {}), (-4.091820595261162, 6.973435325884687)),
    (("sine", {}), (0.24417930695480622, -0.5343054851896412)),
    (("sunspots", {}), (125.1507957459788, -0.9781865446904836)),
    (("frequency-discrimination", FEW), (-21.07914391375115, -3.4961688106238276)),
    (("adding", FEW), (-24.319637995356985, -2.3202486435468925)),
    (("temporal-order", FEW), (-63.28350923942747, -2.8053255052302246)),
    (("temporal-order", {**FEW, "marked": 3}), (-55.15576251492857, -3.0653192152903443)),
    (("spoken-words", {}), (-688.5643833227239, 237.25692813068963)),
]
"""Task and options, fingerprint of the inputs and of the targets."""
TOLERANCES = {  # what another processor's last bits grow to
    "mackey-glass": 1e-4,
    "kuramoto-sivashinsky": 1e-6,
}


def fingerprint(name: str, options: Mapping[str, Any]) -> tuple[float, float]:
    """A weighted sum of all inputs of all splits, and one of all targets, for seed 0."""
    data = get_task(name, **options).generate(0)
    splits = (data.train, data.validation, data.test)
    return weighted([part for split in splits for part in split.inputs]), weighted([part for s in splits for part in targets(s)])


def targets(split: Split) -> list[np.ndarray]:
    return split.targets if isinstance(split.targets, list) else [split.targets]


def weighted(parts: list[np.ndarray]) -> float:
    """The sum of all values, each times the cosine of its place, so that order and sign count."""
    values = np.concatenate([np.ravel(part).astype(float) for part in parts])
    return float(np.cos(np.arange(values.size)) @ values)


@pytest.mark.parametrize(("task", "golden"), CASES, ids=[name for (name, _), _ in CASES])
def test_the_data_are_those_of_the_golden_numbers(task: tuple[str, Mapping[str, Any]], golden: tuple[float, float]) -> None:
    assert fingerprint(*task) == pytest.approx(golden, rel=TOLERANCES.get(task[0], 1e-9))


def test_every_task_has_golden_numbers() -> None:
    files = {"csv", "digits", "text"}  # others made their data
    assert {name for (name, _), _ in CASES} == set(list_tasks()) - files
