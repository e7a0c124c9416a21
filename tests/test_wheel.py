"""What is installed: one import name, whole, beside which a user's own `tasks.py` and `cli.py` do no harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from reservoir import __version__

ROOT = Path(__file__).parent.parent
PARTS = ("pyproject.toml", "README.md", "LICENSE", "cli.py", "tasks", "reservoir")


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """What Python prints, run in a folder."""
    found = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout, without network."""
    pytest.importorskip("setuptools", minversion="77", reason="setuptools 77 builds the wheel")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, source / part)
    run(source, "-c", f"from setuptools import build_meta; build_meta.build_wheel({str(built)!r})")
    [path] = built.iterdir()
    return path


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for folder, package in ((ROOT / "reservoir", "reservoir"), (ROOT / "tasks", "reservoir/tasks"))
        for path in folder.rglob("*")
        if path.suffix in (".py", ".c", ".h", ".csv", ".typed")
    }
    assert found == sources


def test_the_command_is_in_the_package(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert archive.read(name).decode().split("\n")[:2] == ["[console_scripts]", "reservoir = reservoir.commands.main:main"]


def test_a_users_own_tasks_and_cli_do_no_harm(wheel: Path, tmp_path: Path) -> None:
    installed, own = tmp_path / "installed", tmp_path / "own"
    zipfile.ZipFile(wheel).extractall(installed)
    own.mkdir()
    for name in ("tasks.py", "cli.py"):
        (own / name).write_text("raise RuntimeError('a module of the user')\n")
    program = "import reservoir; from reservoir.tasks import get_task; print(reservoir.__file__, get_task('narma10').name)"
    file, task = run(own, "-c", program, PYTHONPATH=str(installed)).split()
    assert Path(file) == installed / "reservoir" / "__init__.py"
    assert task == "narma10"
    assert __version__ in run(own, "-m", "reservoir", "--version", PYTHONPATH=str(installed))
