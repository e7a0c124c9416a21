"""Checkpoints that cannot be used are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from messages import mentions
from safetensors import safe_open
from safetensors.numpy import save_file
from trainings import INPUTS, TARGETS, network, spoilt

from reservoir import LSTM, ModelFileError, ParameterError


def checkpointed(path: Path, **parameters: Any) -> Any:
    return network(training={"checkpoint": str(path), "epochs": 2}, **parameters)


@pytest.mark.parametrize(
    "change",
    [
        lambda: checkpointed(Path(), units=6),
        lambda: checkpointed(Path(), random_state=1),
        lambda: checkpointed(Path()).set_params(training__learning_rate=0.5),
        lambda: checkpointed(Path()).set_params(training__epochs=9, training__schedule="cosine"),
        lambda: LSTM(5, random_state=0, dtype="float64"),
    ],
)
def test_a_checkpoint_of_another_training(change: Callable[[], Any], tmp_path: Path) -> None:
    path = tmp_path / "training"
    checkpointed(path).fit(INPUTS, TARGETS)
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=mentions("'checkpoint'")):
        change().set_params(training__checkpoint=str(path)).fit(INPUTS, TARGETS)
    for inputs, targets in ((spoilt(INPUTS, 3), TARGETS), (INPUTS, spoilt(TARGETS, 3)), (INPUTS[:-1], TARGETS[:-1])):
        with pytest.raises(ParameterError, match=mentions("parameters training")):
            checkpointed(path).fit(inputs, targets)
    assert path.read_bytes() == before


def test_settings_that_may_change_between_a_stop_and_a_resumption(tmp_path: Path) -> None:
    for schedule in ("constant", "cosine"):
        model = network(training={"checkpoint": str(tmp_path / schedule), "epochs": 3, "schedule": schedule})
        model.fit(INPUTS, TARGETS)
        model.set_params(training__patience=50, training__checkpoint_every=2).fit(INPUTS, TARGETS)
        (tmp_path / schedule).rename(tmp_path / "moved")
        model.set_params(training__checkpoint=str(tmp_path / "moved")).fit(INPUTS, TARGETS)
        more = model.set_params(training__epochs=5)
        if schedule == "constant":
            assert len(more.fit(INPUTS, TARGETS).history_) == 5
        else:  # of which the rates depend on how many epochs there will be
            with pytest.raises(ParameterError, match=mentions("parameters training")):
                more.fit(INPUTS, TARGETS)


def test_a_damaged_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "training"
    checkpointed(path).fit(INPUTS, TARGETS)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    damaged = [content[:n] for n in (0, 5, header - 1, header + 3, len(content) - 1)] + [b"x" * 300]
    damaged += [content[:n] + bytes([content[n] ^ 4]) + content[n + 1 :] for n in range(header, len(content), 97)]
    for each in damaged:
        path.write_bytes(each)
        with pytest.raises(ModelFileError, match=mentions(f"{path} damaged")) as caught:
            checkpointed(path).fit(INPUTS, TARGETS)
        assert "\n" not in str(caught.value)
        assert path.read_bytes() == each


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "training"
    network().fit(INPUTS, TARGETS).save(path)
    with pytest.raises(ModelFileError, match=mentions(f"{path} safetensors")):
        checkpointed(path).fit(INPUTS, TARGETS)
    save_file({"weights": np.ones(3)}, path)
    with pytest.raises(ModelFileError, match=mentions("checkpoint training")):
        checkpointed(path).fit(INPUTS, TARGETS)
    path.unlink()
    checkpointed(path).fit(INPUTS, TARGETS)
    with safe_open(path, "numpy") as file:
        tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    progress = json.loads(metadata["progress"])
    save_file(tensors, path, {**metadata, "progress": json.dumps({**progress, "updates": 7})})
    with pytest.raises(ModelFileError, match=mentions("checksum damaged")):
        checkpointed(path).fit(INPUTS, TARGETS)


@pytest.mark.parametrize("where", ["missing/training", "file/training"])
def test_a_checkpoint_that_cannot_be_written_is_told_before_training(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    epochs: list[Any] = []
    with pytest.raises(ParameterError, match=mentions(f"'checkpoint' Training {where}'")):
        checkpointed(tmp_path / where).fit(INPUTS, TARGETS, progress=lambda *record: epochs.append(record))
    with pytest.raises(ModelFileError, match=mentions("checkpoint damaged")):
        checkpointed(tmp_path).fit(INPUTS, TARGETS)
    assert not epochs


def test_a_checkpoint_needs_a_seed(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=mentions("'random_state' None training.checkpoint")):
        checkpointed(tmp_path / "training", random_state=None).fit(INPUTS, TARGETS)
    assert not list(tmp_path.iterdir())
