"""Work that needs more memory than there is: refused before it starts, with what it needs and what would fit."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import Command
from messages import mentions

from reservoir import ESN, LSTM, LeastMeanSquares, Logistic, RecursiveLeastSquares, Ridge, Training
from reservoir.base import memory

WAVE = np.sin(0.2 * np.arange(3000))


def limited(monkeypatch: pytest.MonkeyPatch, amount: float) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: amount)


def test_the_size_that_would_fit() -> None:
    limit = memory.memory_limit()
    assert 0 < limit < math.inf
    memory.check_memory("Work", lambda size: {"part": limit}, 7, "units")
    with pytest.raises(MemoryError, match=mentions("120 enough")):
        memory.check_memory("Work", lambda size: {"part": size * limit / 129.5, "other": 0.0}, 500, "units")
    with pytest.raises(MemoryError, match=mentions("little number")):
        memory.check_memory("Work", lambda size: {"part": 2 * limit}, 500, "units")


@pytest.mark.parametrize(
    ("parameters", "what", "amount"),
    [
        ({}, "Gram matrix", 16 * 302**2),
        ({"readout": Ridge(solver="qr")}, "triangular factor", 24 * 302**2),
        ({"readout_from": ["square", "state"]}, "Gram matrix", 16 * 600**2),
        ({"washout": 2900}, "features", 16 * 100 * 302),
        ({"readout": Logistic(), "washout": 1000}, "features", 16 * 2000 * 302),
        ({"readout": RecursiveLeastSquares()}, "inverse", 16 * 302**2),
        ({"topology": "dense"}, "weights of the reservoir", 16 * 300**2),
        ({"topology": np.eye(300)}, "weights of the reservoir", 16 * 300**2),
        ({"readout": LeastMeanSquares(), "density": 0.5}, "weights of the reservoir", 24 * 300 * 150),
    ],
    ids=str,
)
def test_a_fit_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch, parameters: dict, what: str, amount: float) -> None:
    targets = WAVE > 0.0 if "Logistic" in str(parameters) else WAVE
    esn = ESN(**{"units": 300, "washout": 0, "density": 0.003, **parameters}, random_state=0)
    limited(monkeypatch, amount - 1)
    monkeypatch.setattr(ESN, "_draw", None)  # the work would fail otherwise
    with pytest.raises(MemoryError, match=mentions(f"ESN 300 {what}")):
        esn.fit(WAVE, targets)
    assert not hasattr(esn, "reservoir_")


@pytest.mark.parametrize(
    ("training", "what", "amount"),
    [
        ({"window": 10, "batch_size": 1}, "weights and gradients", 6 * 4 * 20 * 22),
        ({}, "gates and states of a batch", 32 * 50 * 7 * 20),
        ({"window": 10, "batch_size": 16}, "gates and states of a batch", 16 * 10 * 7 * 20),
        ({"algorithm": "rtrl", "batch_size": 1}, "sensitivities", 2 * 20 * 4 * 20 * 22),
        ({"algorithm": "ekf", "batch_size": 1}, "covariance", (4 * 20 * 22) ** 2),
    ],
    ids=str,
)
def test_a_training_is_refused_before_the_work(monkeypatch: pytest.MonkeyPatch, training: dict, what: str, amount: int) -> None:
    lstm = LSTM(units=20, training=Training(epochs=1, **training), random_state=0)
    sequences, targets = WAVE.reshape(60, 50), np.ones((60, 50))
    limited(monkeypatch, 4 * amount)
    with pytest.raises(MemoryError, match=rf"^Training LSTM with 20 units needs .* {what} .* GB; .* enough for 1?[\d] units$"):
        lstm.fit(list(sequences), list(targets), target="step")
    assert not hasattr(lstm, "network_")


def test_what_is_said_to_fit_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 6e6)
    with pytest.raises(MemoryError, match=mentions("210 enough")):
        ESN(units=300, washout=0, random_state=0).fit(WAVE)
    assert ESN(units=210, washout=0, random_state=0).fit(WAVE).units == 210


def test_weights_and_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    esn = ESN(units=50, topology="cycle").build(1)
    limited(monkeypatch, 8 * 50 * 2000)
    assert esn.states(WAVE[:2000]).shape == (2000, 50)
    with pytest.raises(MemoryError, match=mentions("2,001 2,000 Keeping")):
        esn.states(WAVE[:2001])
    with pytest.raises(MemoryError, match=mentions("ESN 5,000 0.4")):
        ESN(units=5000, topology="dense").build(1)
    assert ESN(units=5000, topology="cycle").build(1).units == 5000  # whose density does not count


def test_the_command_line_refuses_in_one_line(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 1e6)
    status, out, err = command("run", "narma10", "--set", "units=900")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("Error: not enough memory (ESN with 900 units fitted to ")
    assert err.endswith(" units); use fewer units or a shorter series.\n")


GROUPS = {
    "second version": ("0::/outer/inner\n", {"outer/memory.max": "5000", "outer/inner/memory.max": "max"}, 5000),
    "the innermost": ("0::/outer/inner\n", {"outer/memory.max": "5000", "outer/inner/memory.max": "400"}, 400),
    "the root of a container": ("0::/\n", {"memory.max": "7000"}, 7000),
    "first version": ("3:cpu:/x\n2:memory,hugetlb:/docker/x\n", {"memory/docker/x/memory.limit_in_bytes": "300\n"}, 300),
    "a path of the host": ("2:memory:/docker/x\n", {"memory/memory.limit_in_bytes": "300\n"}, 300),
    "no limit": ("0::/\n", {"memory.max": "max"}, math.inf),
    "no group": ("", {}, math.inf),
}


@pytest.mark.parametrize("case", GROUPS)
def test_limits_of_a_container(tmp_path: Path, case: str) -> None:
    membership, files, limit = GROUPS[case]
    (tmp_path / "cgroup").write_text(membership)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.container_memory(str(tmp_path / "cgroup"), str(tmp_path)) == limit
    assert memory.container_memory(str(tmp_path / "absent"), str(tmp_path)) == math.inf


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the address space")
def test_a_limited_address_space_is_no_crash() -> None:
    code = (
        "import resource, numpy as np; from reservoir import ESN; resource.setrlimit(resource.RLIMIT_AS, (16 * 2**30,) * 2);"
        "ESN(units=40000).fit(np.zeros(60000), np.zeros(60000))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MemoryError: ESN with 40,000 units fitted to 59,900 rows needs at least 26.5 GB" in done.stderr.splitlines()[-1]
