"""What matters in a message, whatever its wording."""

from __future__ import annotations

import re


def mentions(words: str) -> str:
    """A pattern of messages that hold all of these words, names and numbers, in any order."""
    return "(?s)" + "".join(rf"(?=.*(?<!\w)(?<!\d\.){re.escape(word)}(?!\w|\.\d))" for word in words.split())
