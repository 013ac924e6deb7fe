"""What an S3 request asks for, told from its method, target and headers alone."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import parse_qs, unquote

from tests.fire.wire import Request


class Operation(StrEnum):
    """The operations of S3 that are told apart. The engine uses those above ``DELETE``."""

    GET = "get"  #: A whole object.
    GET_RANGE = "get-range"
    HEAD = "head"
    TAGS = "tags"
    LIST = "list"
    CREATE = "create"  #: A put that may only create.
    REPLACE = "replace"  #: A put that may only replace what it names.
    LOCATION = "location"
    VERSIONING = "versioning"
    ENCRYPTION = "encryption"
    HEAD_BUCKET = "head-bucket"
    DELETE = "delete"
    PUT = "put"  #: A put without a condition.
    UPLOAD_PART = "upload-part"
    COMPLETE = "complete"
    OTHER = "other"


PUTS = frozenset({Operation.CREATE, Operation.REPLACE, Operation.PUT, Operation.UPLOAD_PART})
ENGINE = tuple(list(Operation)[: list(Operation).index(Operation.DELETE)])
"""What the engine asks for. It deletes nothing, and puts each parcel in one piece."""

_QUESTIONS = {
    "tagging": Operation.TAGS,
    "location": Operation.LOCATION,
    "versioning": Operation.VERSIONING,
    "encryption": Operation.ENCRYPTION,
    "list-type": Operation.LIST,
}


def key_of(request: Request) -> str:
    """The path of a request, unquoted: ``bucket/key``."""
    return unquote(request.target.partition("?")[0]).lstrip("/")


def operation_of(request: Request) -> Operation:
    """Say what a path-style request asks for."""
    query = parse_qs(request.target.partition("?")[2], keep_blank_values=True)
    has_key = bool(key_of(request).partition("/")[2])
    if request.method == "GET":
        return _get(request, query, has_key=has_key)
    if request.method == "HEAD":
        return Operation.HEAD if has_key else Operation.HEAD_BUCKET
    if request.method == "PUT" and has_key and "tagging" not in query:
        return _put(request, query)
    if request.method == "POST" and "uploadId" in query:
        return Operation.COMPLETE
    return Operation.DELETE if request.method == "DELETE" else Operation.OTHER


def _get(request: Request, query: dict[str, list[str]], *, has_key: bool) -> Operation:
    for name, operation in _QUESTIONS.items():
        if name in query:
            return operation
    if not has_key:
        return Operation.OTHER
    return Operation.GET_RANGE if request.header("Range") else Operation.GET


def _put(request: Request, query: dict[str, list[str]]) -> Operation:
    if "partNumber" in query:
        return Operation.UPLOAD_PART
    if request.header("If-None-Match"):
        return Operation.CREATE
    return Operation.REPLACE if request.header("If-Match") else Operation.PUT
