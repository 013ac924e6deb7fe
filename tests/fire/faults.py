"""Faults: what may become of one request and its answer between an engine and its store.

What needs no connection is decided here, as values: an answer made up, or a real one spoilt.
How a fault is carried out on a connection is the proxy's (``tests.fire.proxy``).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from enum import StrEnum
from random import Random

from tests.fire.asked import Operation
from tests.fire.wire import Answer, Request, answer


class Fault(StrEnum):
    """One way in which a request goes wrong."""

    RESET_BEFORE = "reset-before"  #: The connection is reset and nothing was asked.
    RESET_AFTER = "reset-after"  #: It was asked and done; the answer is lost.
    SLOW_DOWN = "slow-down"  #: 503 SlowDown.
    INTERNAL_ERROR = "internal-error"  #: 500 InternalError.
    TOO_MANY = "too-many"  #: 429 TooManyRequests.
    CUT = "cut"  #: Half the answer, and the connection ends.
    CUT_FITTED = "cut-fitted"  #: Half the body, with a Content-Length that agrees.
    CUT_HEAD = "cut-head"  #: The connection ends amid the headers.
    GARBAGE = "garbage"  #: What comes back is not HTTP.
    FLIP_ANSWER = "flip-answer"  #: One bit of the body, or of the ETag where there is no body.
    FLIP_REQUEST = "flip-request"  #: One bit of the body that is put.
    STALL = "stall"  #: It was asked and done; nothing ever comes back.
    STALL_MIDWAY = "stall-midway"  #: Half the body comes, and then nothing.
    DRIP = "drip"  #: All comes, a few bytes at a time.
    DUPLICATE = "duplicate"  #: It is asked twice; the second answer comes back.
    EMPTY_200 = "empty-200"  #: 200 and nothing else.
    ERROR_200 = "error-200"  #: 200, and an error's document.
    OTHER_ANSWER = "other-answer"  #: The answer to another request of this kind.
    REDIRECT = "redirect"  #: 301, to somewhere else.
    REDIRECT_SOON = "redirect-soon"  #: 307, to somewhere else.
    FORGET_KEY = "forget-key"  #: A page of a listing lacks its first key and does not count it.


STORM = (
    Fault.RESET_BEFORE,
    Fault.RESET_AFTER,
    Fault.SLOW_DOWN,
    Fault.INTERNAL_ERROR,
    Fault.TOO_MANY,
    Fault.CUT,
    Fault.CUT_HEAD,
    Fault.GARBAGE,
    Fault.DRIP,
    Fault.EMPTY_200,
    Fault.ERROR_200,
)
"""What a long storm is made of: each is over at once, and a call that meets it may be repeated."""

_CODES = {
    Fault.SLOW_DOWN: (503, "SlowDown"),
    Fault.INTERNAL_ERROR: (500, "InternalError"),
    Fault.TOO_MANY: (429, "TooManyRequests"),
    Fault.ERROR_200: (200, "InternalError"),
    Fault.REDIRECT: (301, "PermanentRedirect"),
    Fault.REDIRECT_SOON: (307, "TemporaryRedirect"),
}
_CONTENTS = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
_COUNT = re.compile(rb"<KeyCount>(\d+)</KeyCount>")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def fits(fault: Fault, operation: Operation, request: Request) -> bool:
    """Whether a fault means anything for a request."""
    if fault is Fault.FLIP_REQUEST:
        return bool(request.body)
    if fault is Fault.FORGET_KEY:
        return operation is Operation.LIST
    return True


def made_up(fault: Fault, elsewhere: str) -> Answer | None:
    """Return the answer that a fault gives without asking the store; None if it does ask."""
    if fault is Fault.EMPTY_200:
        return answer(200)
    if fault not in _CODES:
        return None
    status, code = _CODES[fault]
    kind = ("Content-Type", "application/xml")
    if status in (301, 307):
        where = f"http://{elsewhere}/elsewhere"
        return answer(status, _document(code, elsewhere), kind, ("Location", where))
    return answer(status, _document(code), kind)


def spoilt(fault: Fault, real: Answer, other: Answer | None, chance: Random) -> Answer | None:
    """Return the real answer as a fault leaves it; None if it cannot do anything to this one."""
    match fault:
        case Fault.CUT_FITTED:
            half = len(real.body) // 2
            return replace(real, body=real.body[:half], length=half) if real.body else None
        case Fault.FLIP_ANSWER:
            return _flipped_answer(real, chance)
        case Fault.OTHER_ANSWER:
            return other
        case Fault.FORGET_KEY:
            return _without_its_first_key(real)
        case _:
            return real


def flipped(body: bytes, chance: Random) -> bytes:
    """Return ``body`` with one bit changed."""
    at = chance.randrange(len(body))
    changed = bytearray(body)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


def digest_refusal(request: Request) -> Answer | None:
    """Refuse a put whose body is not the one whose digest it carries, as the real service does."""
    digest = hashlib.sha256(request.body).digest()
    told = request.header("x-amz-checksum-sha256")
    signed = request.header("x-amz-content-sha256") or ""
    agrees = told is None or told == base64.b64encode(digest).decode()
    if agrees and (not _SHA256.fullmatch(signed) or signed == digest.hex()):
        return None
    code = "XAmzContentSHA256Mismatch" if agrees else "BadDigest"
    return answer(400, _document(code), ("Content-Type", "application/xml"))


def _flipped_answer(real: Answer, chance: Random) -> Answer | None:
    if real.body:
        return replace(real, body=flipped(real.body, chance))
    etag = real.header("ETag")
    if etag is None:
        return None
    at = chance.randrange(1, len(etag) - 1)
    other = chr(ord(etag[at]) ^ 1)
    return real.with_header("ETag", etag[:at] + other + etag[at + 1 :])


def _without_its_first_key(real: Answer) -> Answer | None:
    entries = _CONTENTS.findall(real.body)
    if not entries:
        return None
    body = real.body.replace(entries[0], b"", 1)
    body = _COUNT.sub(lambda found: b"<KeyCount>%d</KeyCount>" % (int(found[1]) - 1), body)
    return replace(real, body=body, length=len(body))


def _document(code: str, elsewhere: str = "") -> bytes:
    where = f"<Endpoint>{elsewhere}</Endpoint>" if elsewhere else ""
    told = f"<Error><Code>{code}</Code><Message>as told</Message>{where}</Error>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{told}'.encode()
