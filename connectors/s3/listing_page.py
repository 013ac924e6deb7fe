"""Reads the entries of a listing's page in one pass; the SDK makes some seventy calls for each.

A plan of ten million objects reads ten thousand pages; the SDK's general parser would spend
most of the planning on them. This hook takes the entries out of the document before the SDK sees
it and hands them over in the SDK's own terms: all else, errors included, stays with the SDK. A
document that is not plainly a listing is left to the SDK whole.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

_ROOT: Final = "ListBucketResult"
_ENTRY: Final = "Contents"
_ENTRY_LEVEL: Final = 2
_TAKEN: Final = frozenset({"Key", "LastModified", "ETag", "Size", "StorageClass"})
_END: Final = f"</{_ENTRY}>".encode()


class _NotPlainError(Exception):
    """The document is not one that this reader knows."""


class _Page:
    """One pass over a document: its entries, and where in it they stand."""

    def __init__(self, document: bytes) -> None:
        self.entries: list[dict[str, Any]] = []
        self.rest: list[bytes] = []
        self._document = document
        self._from = 0
        self._level = 0
        self._entry: dict[str, str] | None = None
        self._name: str | None = None
        self._text: list[str] = []
        self._parser = ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.Parse(document, True)  # noqa: FBT003  Positional in expat itself.
        self.rest.append(document[self._from :])

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._level += 1
        if self._level == 1 and name != _ROOT:
            raise _NotPlainError
        if self._level == _ENTRY_LEVEL and name == _ENTRY:
            self.rest.append(self._document[self._from : self._parser.CurrentByteIndex])
            self._entry = {}
        elif self._entry is not None and self._level == _ENTRY_LEVEL + 1 and name in _TAKEN:
            if name in self._entry:
                raise _NotPlainError
            self._name, self._text = name, []
            self._parser.CharacterDataHandler = self._text.append

    def _stop(self, name: str) -> None:
        self._level -= 1
        if self._name is not None and self._level == _ENTRY_LEVEL:
            assert self._entry is not None, "a field stands in an entry"
            self._entry[self._name] = "".join(self._text)
            self._name = None
            self._parser.CharacterDataHandler = None
        elif self._entry is not None and self._level == _ENTRY_LEVEL - 1:
            self.entries.append(_typed(self._entry))
            self._entry = None
            # Here the parser stands at the beginning of the end tag.
            at = self._parser.CurrentByteIndex
            if not self._document.startswith(_END, at):
                raise _NotPlainError
            self._from = at + len(_END)

    def _refuse(self, *_declared: object) -> None:
        raise _NotPlainError


def _typed(entry: dict[str, str]) -> dict[str, Any]:
    """Give an entry's fields the types that the SDK gives them."""
    typed: dict[str, Any] = dict(entry)
    if "Size" in entry:
        typed["Size"] = int(entry["Size"])
    if "LastModified" in entry:
        moment = datetime.fromisoformat(entry["LastModified"])
        if moment.tzinfo is None:
            raise _NotPlainError
        typed["LastModified"] = moment.astimezone(UTC)
    return typed


def take_entries(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_rest: object
) -> None:
    """Read the entries of a page before the SDK parses it, and leave it the rest.

    A hook of ``before-parse`` for ``ListObjectsV2``.
    """
    body = response_dict.get("body")
    if response_dict.get("status_code") != 200 or not isinstance(body, bytes):
        return
    try:
        page = _Page(body)
    except (ExpatError, ValueError, _NotPlainError):
        return  # The SDK says what is wrong with it.
    if page.entries:
        response_dict["body"] = b"".join(page.rest)
        customized_response_dict["Contents"] = page.entries
