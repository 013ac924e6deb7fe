"""Lies of stores, and one honest store: what stands in the way of a real one and answers for it.

An honest door checks digests, which the server behind it does not. Each lie is one that some
server, some gateway or some damaged answer has told.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.live.proxy import DENIED, Answer, Teller, forwarded, refused

Upstream = tuple[str, int]
Asks = Callable[[BaseHTTPRequestHandler], bool]

BAD_DIGEST = b"<Error><Code>BadDigest</Code><Message>Not what was sent.</Message></Error>"
_CONTENTS = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)


def honest(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """Forward all but a body that is not the one whose SHA-256 was told."""
    told = request.headers.get("x-amz-checksum-sha256")
    if told is not None and base64.b64encode(hashlib.sha256(body).digest()).decode() != told:
        return refused(400, BAD_DIGEST)
    return forwarded(upstream, request, body)


def query(request: BaseHTTPRequestHandler) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.path).query, keep_blank_values=True)


def key_of(request: BaseHTTPRequestHandler) -> str:
    """Return the key that a request is about; empty where it is about the bucket."""
    return urlsplit(request.path).path.lstrip("/").partition("/")[2]


def is_list(request: BaseHTTPRequestHandler) -> bool:
    return request.command == "GET" and "list-type" in query(request)


def is_get(request: BaseHTTPRequestHandler) -> bool:
    return request.command == "GET" and bool(key_of(request)) and "tagging" not in query(request)


def is_head(request: BaseHTTPRequestHandler) -> bool:
    return request.command == "HEAD" and bool(key_of(request))


def is_put(request: BaseHTTPRequestHandler) -> bool:
    return request.command == "PUT"


def is_tagged_put(request: BaseHTTPRequestHandler) -> bool:
    return is_put(request) and "x-amz-tagging" in request.headers


def asks(name: str) -> Asks:
    """Return whether a request asks for this sub-resource."""
    return lambda request: request.command == "GET" and name in query(request)


def denying(which: Asks) -> Teller:
    """Refuse these requests for want of a permission."""

    def tell(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        return refused(403, DENIED) if which(request) else honest(upstream, request, body)

    return tell


def ignoring(header: str, which: Asks) -> Teller:
    """Do not read a header of these requests."""

    def tell(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        if which(request):
            del request.headers[header]
        return honest(upstream, request, body)

    return tell


def saying(which: Asks, change: Callable[[bytes], bytes]) -> Teller:
    """Answer these requests with another body."""

    def tell(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        answer = honest(upstream, request, body)
        return with_body(answer, change(answer.body)) if which(request) else answer

    return tell


def with_body(answer: Answer, body: bytes) -> Answer:
    headers = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
    return answer._replace(headers=[*headers, ("Content-Length", str(len(body)))], body=body)


def accepting_any_body(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """Believe a put whose digest is wrong, as the server behind does."""
    return forwarded(upstream, request, body)


def clock_of(hours: float) -> Teller:
    """Tell another time."""

    def tell(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        answer = honest(upstream, request, body)
        date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
        kept = [(name, value) for name, value in answer.headers if name.lower() != "date"]
        return answer._replace(headers=[*kept, ("Date", date)])

    return tell


def ending_early(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """List one page of three keys at most, and call that the whole."""
    if not is_list(request):
        return honest(upstream, request, body)
    request.path = re.sub(r"max-keys=\d+", _three_at_most, request.path)
    answer = honest(upstream, request, body)
    page = answer.body.replace(b"<IsTruncated>true", b"<IsTruncated>false")
    return with_body(answer, re.sub(rb"<NextContinuationToken>.*</NextC\w+>", b"", page))


def _three_at_most(found: re.Match[str]) -> str:
    return f"max-keys={min(3, int(found.group().partition('=')[2]))}"


def beginning_again(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """Answer every page with the first."""
    request.path = re.sub(r"&?continuation-token=[^&]*", "", request.path)
    return honest(upstream, request, body)


def without_the_last(page: bytes) -> bytes:
    """Leave the last key of a page out, and count accordingly."""
    found = _CONTENTS.findall(page)
    if not found:
        return page
    counted = f"<KeyCount>{len(found) - 1}".encode()
    return re.sub(rb"<KeyCount>\d+", counted, page.replace(found[-1], b""))


def backwards(page: bytes) -> bytes:
    """Put the keys of a page in the wrong order."""
    found = _CONTENTS.findall(page)
    return page.replace(b"".join(found), b"".join(reversed(found)))


def uncounted(page: bytes) -> bytes:
    """Do not say how many keys there are."""
    return re.sub(rb"<KeyCount>\d+</KeyCount>", b"", page)


def empty(_page: bytes) -> bytes:
    """Say nothing at all, with a status of success."""
    return b""


def cut(page: bytes) -> bytes:
    """Break off in the middle."""
    return page[: len(page) // 2]


def shifted(upstream: Upstream, request: BaseHTTPRequestHandler, body: bytes) -> Answer:
    """Answer a range with bytes from one before, and call them what was asked for."""
    asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
    if not is_get(request) or asked is None or asked.group(1) == "0":
        return honest(upstream, request, body)
    start, stop = (int(number) for number in asked.groups())
    request.headers.replace_header("Range", f"bytes={start - 1}-{stop - 1}")
    answer = honest(upstream, request, body)
    said = f"bytes {start}-{stop}/"
    return answer._replace(
        headers=[
            (
                name,
                re.sub(r"bytes \d+-\d+/", said, value)
                if name.lower() == "content-range"
                else value,
            )
            for name, value in answer.headers
        ]
    )


def unversioned(_document: bytes) -> bytes:
    """Keep no versions."""
    return b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'


def elsewhere(_document: bytes) -> bytes:
    """Stand in another region."""
    return b"<LocationConstraint>us-west-2</LocationConstraint>"
