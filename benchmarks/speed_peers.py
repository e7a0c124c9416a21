"""Asks a peer library, in an environment of its own, for its seconds; it imports nothing but the standard library."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def named(text: str) -> tuple[str, str]:
    """Split NAME=PYTHON."""
    name, _, python = text.partition("=")
    if not python or not (HERE / "peers" / f"{name}.py").exists():
        raise argparse.ArgumentTypeError(
            f"must be NAME=PYTHON, a file of benchmarks/peers and an interpreter. Got {text!r} instead."
        )
    return name, python


def ask(peer: str, python: str, asked: list[dict[str, Any]]) -> tuple[str, list[Any]]:
    """Return the version of a peer and its seconds for every case, which all have the same number of threads."""
    threads = str(asked[0]["threads"])
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | dict.fromkeys(names, threads)
    with tempfile.TemporaryDirectory() as folder:
        question, answer = Path(folder) / "cases.json", Path(folder) / "seconds.json"
        question.write_text(json.dumps(asked))
        command = [python, str(HERE / "speed_peer.py"), peer, str(question), str(answer)]
        try:
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            lines = str(getattr(error, "stderr", error)).strip().splitlines() or [str(error)]
            print(f"{peer} is left out of {asked[0]['group']}: {lines[-1]}", file=sys.stderr)
            return "", [None] * len(asked)
        found = json.loads(answer.read_text())
        return found["version"], found["seconds"]
