"""What all tests share."""

from __future__ import annotations

import pytest
from commands import command, refused  # noqa: F401 - fixtures of all tests

collect_ignore = ["fixtures"]  # the scripts that made the files there need what tests do not
TRAINED = ("cells", "clockwork", "network", "real_time", "recurrent", "symbols", "torch_cells", "training", "truncation")
"""The beginnings of the names of test files that compile most kernels of networks trained by gradient."""
SLOW = ("extending", "jit_files", "sweep_faults", "writing", "language_model", "cli", "html_report", "sklearn")
"""The beginnings of the names of test files that start processes or compile much else."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give files to processes: one to each, so that its tests run in order, but those of `TRAINED` to the same; long ones first.

    Kernels that two processes need at the same time are compiled by both.
    """
    if config.pluginmanager.has_plugin("xdist"):
        names = {item: item.path.stem.removeprefix("test_") for item in items}
        for item, name in names.items():
            item.add_marker(pytest.mark.xdist_group("trained" if name.startswith(TRAINED) else name))
        items.sort(key=lambda item: (not names[item].startswith(TRAINED), not names[item].startswith(SLOW)))
