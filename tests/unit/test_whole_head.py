"""An answer whose headers were cut anywhere is no answer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any

import pytest

from connectors.s3.whole_head import WholeHead

HEAD = (
    b'HTTP/1.1 200 OK\r\nETag: "807d00f4974b54d66e68982f7dd43e0f"\r\n'
    b"Content-Length: 0\r\nx-amz-version-id: b0062d2f-d397\r\n\r\n"
)


class Wire:
    """A socket on which just this was received."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(io.BytesIO(self.content))


@contextmanager
def heard(kind: type[HTTPResponse], content: bytes) -> Iterator[HTTPResponse]:
    wire: Any = Wire(content)
    answer = kind(wire, method="PUT")
    try:
        answer.begin()
        yield answer
    finally:
        answer.close()


def test_a_head_that_was_cut_anywhere_is_refused() -> None:
    for length in range(len(HEAD) - 2):
        with pytest.raises(HTTPException), heard(WholeHead, HEAD[:length]):
            pass


def test_the_standard_library_would_have_taken_it() -> None:
    with heard(HTTPResponse, HEAD[: HEAD.index(b"x-amz") + 20]) as answer:
        assert answer.headers["x-amz-version-id"] == "b0"


def test_a_whole_head_and_its_body_are_read_as_ever() -> None:
    with heard(WholeHead, HEAD.replace(b"Length: 0", b"Length: 4") + b"body") as answer:
        assert answer.headers["x-amz-version-id"] == "b0062d2f-d397"
        assert answer.read() == b"body"
