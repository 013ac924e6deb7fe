"""What the SDK, its transport and odd answers mean: one of ours for each of theirs.

Total: whatever the SDK or the network raises ends here. What is told of it is the site, the
operation, the HTTP status and the code. *Never* the vendor's own message, which can hold the
key, a role or a whole URL; and for the same reason the vendor's exception is not chained.
Sources: S3 API reference, "Error responses"; botocore's exceptions; measured behaviour of stores.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple
from xml.etree.ElementTree import ParseError

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from repatria.errors import (
    AccessRefused,
    Archived,
    ConfigRefused,
    Garbled,
    Missing,
    Occupied,
    Refused,
    RepatriaError,
    StaleSlice,
    StoreRefused,
    Throttled,
    Transient,
)
from repatria.names import SiteName

CONNECT: Final = "connect"
"""Stands for an operation where a client is made and nothing is sent."""


class Call(NamedTuple):
    """What was asked: it decides what "not found" and "precondition failed" mean."""

    site: SiteName
    operation: str
    versioned: bool = False  #: A version was named.


Sort = type[RepatriaError]

_WAIT: Final = "the store was away, or its answer was damaged"
_GARBLED: Final = "a body is not the one whose checksum the store keeps"
_SLOW: Final = "the store asks for fewer requests"
_NO_ENTRY: Final = "the store does not let this role do this"
_ELSEWHERE: Final = "the bucket is in another region than the configuration says"
_CLOCK: Final = "this machine's clock is wrong: set it, then run the same command again"
_GONE: Final = "there is no such object"
_OTHER: Final = "the object is not that version"
_TAKEN: Final = "something else stands there than was expected"
_CANNOT: Final = "the store does not implement this"
_UNSAID: Final = "the store refuses this and a look has no body to say why: region, credentials?"

_CODES: Final[dict[str, tuple[Sort, str]]] = {
    **dict.fromkeys(
        (
            "SlowDown",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "BandwidthLimitExceeded",
            "TooManyRequests",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "LimitExceededException",
        ),
        (Throttled, _SLOW),
    ),
    **dict.fromkeys(
        (
            "InternalError",
            "RequestTimeout",
            "RequestTimeoutException",
            "IncompleteBody",
            "BadDigest",
            "XAmzContentSHA256Mismatch",
            "XAmzContentChecksumMismatch",
            "OperationAborted",
            "ConditionalRequestConflict",
            "PriorRequestNotComplete",
        ),
        (Transient, _WAIT),
    ),
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "AllAccessDisabled",
            "AccountProblem",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidPayer",
            "InvalidSecurity",
            "InvalidToken",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "ExpiredTokenException",
            "NotSignedUp",
            "TokenRefreshRequired",
            "UnrecognizedClientException",
        ),
        (AccessRefused, _NO_ENTRY),
    ),
    **dict.fromkeys(
        (
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "PermanentRedirect",
            "Redirect",
            "TemporaryRedirect",
        ),
        (StoreRefused, _ELSEWHERE),
    ),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), (Refused, _CLOCK)),
    "NoSuchBucket": (AccessRefused, "the store knows no such bucket"),
    "NoSuchKey": (Missing, _GONE),
    "NoSuchVersion": (StaleSlice, "there is no such version of the object"),
    "InvalidRange": (StaleSlice, _OTHER),
    "InvalidObjectState": (Archived, "the object lies in an archive"),
    "NotImplemented": (StoreRefused, _CANNOT),
}

_STATUSES: Final[dict[int, tuple[Sort, str]]] = {
    401: (AccessRefused, _NO_ENTRY),
    403: (AccessRefused, _NO_ENTRY),
    404: (Refused, "the store does not know what was asked for"),
    408: (Transient, _WAIT),
    409: (Transient, "two requests for one object met"),
    412: (StaleSlice, _OTHER),
    416: (StaleSlice, _OTHER),
    429: (Throttled, _SLOW),
    501: (StoreRefused, _CANNOT),
    503: (Throttled, _SLOW),
}

_CREDENTIALS: Final = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.NoAuthTokenError,
    sdk.TokenRetrievalError,
    sdk.UnknownCredentialError,
    sdk.ProfileNotFound,
    sdk.RefreshWithMFAUnsupportedError,
    sdk.SSOError,
    sdk.LoginError,
    PermissionError,
)
_CHECKSUMS: Final = (sdk.ChecksumError, sdk.FlexibleChecksumError)
_TRANSPORT: Final = (
    sdk.HTTPClientError,
    sdk.ConnectionError,
    sdk.IncompleteReadError,
    *_CHECKSUMS,
    sdk.CapacityNotAvailableError,
    sdk.MetadataRetrievalError,
    ResponseParserError,
    ParseError,
    HTTPError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    ssl.SSLError,
)
_DEFECTS: Final = (
    sdk.ParamValidationError,
    sdk.ValidationError,
    sdk.MissingParametersError,
    sdk.UnseekableStreamError,
    sdk.OperationNotPageableError,
    sdk.UnknownClientMethodError,
)
_FAILURES: Final = (
    sdk.BotoCoreError,
    sdk.ClientError,
    ResponseParserError,
    ParseError,
    HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


@contextmanager
def translated(site: SiteName, operation: str, *, versioned: bool = False) -> Iterator[None]:
    """Raise ours for whatever the SDK or the network raises inside."""
    try:
        yield
    except _FAILURES as error:
        raise translate(error, Call(site, operation, versioned)) from None


def translate(error: Exception, call: Call) -> RepatriaError | AssertionError:
    """Say in our words what a vendor's exception means; ``AssertionError`` for a bug of ours."""
    if isinstance(error, sdk.ClientError):
        return _answered(error, call)
    cause = type(error).__name__
    sort, message = _raised(error, sent=call.operation != CONNECT)
    if sort is None:
        return AssertionError(f"{message} ({cause} in {call.operation})")
    return sort(message, site=call.site, operation=call.operation, cause=cause)


def _raised(error: Exception, *, sent: bool) -> tuple[Sort | None, str]:
    """``sent``: a request was, so that what is no failure of the SDK's own is an odd answer."""
    if isinstance(error, _CREDENTIALS):
        return AccessRefused, "there are no credentials that work"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return StoreRefused, "the store's certificate is not one that the CA bundle vouches for"
    if isinstance(error, _TRANSPORT) or (sent and _is_odd(error)):
        return (Garbled, _GARBLED) if isinstance(error, _CHECKSUMS) else (Transient, _WAIT)
    if isinstance(error, sdk.InvalidRegionError):
        return ConfigRefused, "the region is not one"
    if isinstance(error, _DEFECTS):
        return None, "the SDK does not take what it was given"
    return ConfigRefused, "the SDK cannot work with what the configuration says"


def _is_odd(error: Exception) -> bool:
    """Whether the SDK stumbled over an answer: a date or a number that is none, for example."""
    return isinstance(error, ValueError) and not isinstance(error, sdk.BotoCoreError)


def _answered(error: sdk.ClientError, call: Call) -> RepatriaError:
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(error.response.get("Error", {}).get("Code", "")) or "none"
    sort, message = _meaning(code, status, call)
    return sort(message, site=call.site, operation=call.operation, status=status, code=code)


def _meaning(code: str, status: int, call: Call) -> tuple[Sort, str]:
    special = _in_context(code, status, call)
    if special is not None:
        return special
    if code in _CODES:
        return _CODES[code]
    if "Throttl" in code:
        return Throttled, _SLOW
    if code.startswith("KMS."):
        return AccessRefused, "the key service does not let this role use the key"
    return _STATUSES.get(status) or _by_class(status)


def _in_context(code: str, status: int, call: Call) -> tuple[Sort, str] | None:
    """Judge what means different things in different calls; None for all the rest."""
    if call.operation == "PutObject":
        if status == 412 or code in ("PreconditionFailed", "NoSuchKey"):
            return Occupied, _TAKEN
        return None
    if call.versioned and _unsaid(code) and status in (404, 405):
        return StaleSlice, "there is no such version of the object"
    if call.operation == "HeadObject":
        return {404: (Missing, _GONE), 400: (AccessRefused, _UNSAID)}.get(status)
    if call.operation in _OF_KEYS and status == 404 and code not in _CODES:
        return Missing, _GONE
    return None


_OF_KEYS: Final = ("GetObject", "GetObjectTagging")


def _unsaid(code: str) -> bool:
    """Whether the store only gave a status: an answer to HEAD has no body."""
    return code.isdigit() or code in ("none", "MethodNotAllowed")


def _by_class(status: int) -> tuple[Sort, str]:
    if 300 <= status < 400:
        return StoreRefused, _ELSEWHERE
    if 400 <= status < 500:
        return Refused, "the store refuses this request"
    return Transient, _WAIT
