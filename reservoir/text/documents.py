"""Texts: reading a file, cutting a text into documents, and into the parts for training, validation and test."""

from __future__ import annotations

from itertools import pairwise

from reservoir.files.reading import PathLike, reading
from reservoir.validation import DataError, ParameterError


def read_text(path: PathLike) -> str:
    """Read a text file in UTF-8, with or without a byte order mark; every line ends in a single newline character.

    Raises `DataError` for a file that cannot be read, is empty or binary, or holds a byte that is not UTF-8; the message
    gives the byte's offset.
    """
    with reading(path, "text file"), open(path, "rb") as file:
        content = file.read()
    if not content.strip():
        raise DataError(f"{path}: is empty; name a file of text.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise DataError(
            f"{path}: byte 0x{byte:02x} at offset {error.start} is not UTF-8; save the file as text in UTF-8."
        ) from None
    if "\0" in text:
        raise DataError(f"{path}: is binary, it holds a zero byte at offset {content.index(0)}; name a file of text.")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def split_documents(text: str, mark: str | None) -> list[str]:
    r"""Cut a text into documents at the lines that hold nothing but the mark; spaces around it do not count.

    Parameters
    ----------
    mark : "" cuts at empty lines; None does not cut: the whole text is one document

    Raises
    ------
    DataError
        No document has any text.

    >>> split_documents("to be\n\nor not\nto be\n", "")
    ['to be', 'or not\nto be']
    """
    documents = [text]
    if mark is not None:
        wanted, lines = mark.strip(), text.split("\n")
        borders = [-1, *(i for i, line in enumerate(lines) if line.strip() == wanted), len(lines)]
        documents = ["\n".join(lines[a + 1 : b]).strip("\n") for a, b in pairwise(borders)]
    documents = [document for document in documents if document.strip()]
    if not documents:
        raise DataError("text: is empty; give a text of at least one symbol.")
    return documents


def split_text(text: str, validation: float, test: float, mark: str | None = None, words: bool = False) -> tuple[str, str, str]:
    """Cut a text by position into the parts for training, validation and test, in this order.

    Parameters
    ----------
    validation, test : shares of the text, in [0, 1); a part of share 0 is ""
    mark : what divides documents, as `split_documents` takes it; no document is cut
    words : whether a part may only begin at white space

    Raises
    ------
    ParameterError
        The shares leave nothing to train.
    DataError
        The text is too short for a part.

    >>> split_text("to be or not to be", 0.2, 0.2, words=True)
    ('to be or not', ' to', ' be')
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0.0 <= share < 1.0:
            raise ParameterError(f"The '{name}' parameter must be a share in [0, 1). Got {share!r} instead.")
    if validation + test >= 1.0:
        raise ParameterError(
            f"The 'validation' and 'test' parameters must sum to less than 1. Got {validation} + {test} instead."
        )
    pieces = [text] if mark is None else [f"{document}\n{mark}\n" for document in split_documents(text, mark)]
    total = sum(map(len, pieces))
    positions = [round(total * (1.0 - validation - test)), round(total * (1.0 - test))]
    joined = "".join(pieces)
    first, second = (_moved(joined, pieces, position, mark is not None, words) for position in positions)
    parts = (joined[:first], joined[first:second], joined[second:])
    for name, share, part in zip(("training", "validation", "test"), (1.0, validation, test), parts, strict=True):
        if share > 0.0 and not part.strip():
            raise DataError(f"text: is too short for its {name} part; give a longer text, or larger shares.")
    return parts


def _moved(text: str, pieces: list[str], position: int, documents: bool, words: bool) -> int:
    """A position moved on to where a part may begin."""
    if documents:
        start = 0
        for piece in pieces:
            if start >= position:
                break
            start += len(piece)
        return start
    while words and position < len(text) and not text[position].isspace():
        position += 1
    return position
