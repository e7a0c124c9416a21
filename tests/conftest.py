"""What all tests share."""

from __future__ import annotations

from commands import command, refused  # noqa: F401 - fixtures of all tests

collect_ignore = ["fixtures"]  # the scripts that made the files there need what tests do not
