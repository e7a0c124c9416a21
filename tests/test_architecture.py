"""The rooms of the package: who may import whom, read from the source of every module. docs/architecture.md draws it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BASIS = {"validation", "metrics", "files", "base"}
MODELS = BASIS | {"kernels", "echo", "gradient", "text", "language", "models"}
WORK = MODELS | {"tasks", "experiments", "plotting"}
FEATURES = {"comparison", "sweeps", "forecasting", "diagnostics", "export"}
MAY_IMPORT: dict[str, set[str]] = {
    "validation": set(),
    "metrics": {"validation"},
    "files": {"validation"},
    "base": BASIS,
    "kernels": {"validation"},
    "echo": BASIS | {"kernels"},
    "gradient": BASIS | {"kernels"},
    "text": BASIS | {"kernels"},
    "language": BASIS | {"kernels", "echo", "gradient", "text"},
    "models": BASIS,
    "tasks": BASIS | {"text"},
    "experiments": MODELS | {"tasks", "plotting"},
    "plotting": BASIS,
    **dict.fromkeys(FEATURES, WORK),
    "commands": WORK | FEATURES | {"reservoir"},
    "reservoir": WORK | FEATURES,  # the package itself: public names, which load when first used
    "__main__": {"commands"},
}
"""For each room the other rooms that its modules may import. A room is a folder of `reservoir/`, or a module beside them."""
MOST_LOOSE = 5
"""Modules of `reservoir/` that are in no folder."""


def sources() -> dict[str, Path]:
    """The file of every module; `tasks/` is imported as `reservoir.tasks`."""
    found = {}
    for folder, package in ((ROOT / "reservoir", "reservoir"), (ROOT / "tasks", "reservoir.tasks")):
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            if not (package == "reservoir" and parts[0] == "tasks"):  # the link to tasks/
                found[".".join([package, *parts]).removesuffix(".__init__")] = path
    return found


def imported(text: str, modules: Mapping[str, Path]) -> set[str]:
    """The modules that a source imports anywhere: at its top, in functions, for the type checker alone."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            names.update(name if name in modules else str(node.module) for name in inner)
    return names & set(modules)


def graph() -> dict[str, set[str]]:
    modules = sources()
    return {name: imported(path.read_text(encoding="utf-8"), modules) for name, path in modules.items()}


def room(module: str) -> str:
    return module.removeprefix("reservoir.").partition(".")[0]


def reached(imports: Mapping[str, set[str]], start: str) -> set[str]:
    """Every module that one leads to."""
    found: set[str] = set()
    waiting = list(imports[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imports[name]
    return found


def circles(imports: Mapping[str, set[str]]) -> Iterator[str]:
    """The modules that lead back to themselves."""
    yield from (name for name in sorted(imports) if name in reached(imports, name))


def test_a_circle_is_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}})) == ["b", "c"]


def test_imports_are_found_wherever_they_are() -> None:
    modules = dict.fromkeys(("reservoir", "reservoir.metrics", "reservoir.echo.esn", "reservoir.base.estimator"), ROOT)
    text = """
from typing import TYPE_CHECKING
from reservoir import metrics, __version__
if TYPE_CHECKING:
    from reservoir.echo.esn import ESN
def later():
    import reservoir.base.estimator
"""
    assert imported(text, modules) == set(modules)


def test_no_module_leads_back_to_itself() -> None:
    assert list(circles(graph())) == []


def test_every_module_imports_only_what_its_room_may() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in sorted(graph().items())
        for other in sorted(others)
        if room(other) != room(module) and room(other) not in MAY_IMPORT[room(module)]
    ]
    assert wrong == []


def test_every_room_is_in_the_table() -> None:
    assert {room(module) for module in sources()} == set(MAY_IMPORT)


def test_the_table_has_no_circle_either() -> None:
    others = {name: allowed - {name} for name, allowed in MAY_IMPORT.items()}
    assert list(circles(others)) == []


def test_few_modules_are_in_no_folder() -> None:
    assert len(list((ROOT / "reservoir").glob("*.py"))) <= MOST_LOOSE


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_the_document_draws_the_same_table(name: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    [row] = re.findall(rf"^\| `{name}` \|.*\| (.*) \|$", text, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == MAY_IMPORT[name] - {name}
