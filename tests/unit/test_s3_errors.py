from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

import pytest
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from connectors.s3.errors import Call, translate, translated
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

SITE = SiteName("us-east")
URL = "https://store.example/users/ada@example.org"


def answer(code: str, status: int) -> sdk.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": f"no {URL}", "Key": "ada@example.org"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return sdk.ClientError(response, "Whatever")


ANSWERS: list[tuple[str, str, int, type[RepatriaError]]] = [
    ("GetObject", "SlowDown", 503, Throttled),
    ("GetObject", "SlowDown", 200, Throttled),
    ("GetObject", "ServiceUnavailable", 503, Throttled),
    ("GetObject", "RequestLimitExceeded", 400, Throttled),
    ("GetObject", "ThrottlingException", 400, Throttled),
    ("GetObject", "Throttling", 400, Throttled),
    ("GetObject", "EC2ThrottledException", 400, Throttled),
    ("HeadObject", "503", 503, Throttled),
    ("HeadObject", "429", 429, Throttled),
    ("GetObject", "InternalError", 500, Transient),
    ("ListObjectsV2", "InternalError", 200, Transient),
    ("HeadObject", "500", 500, Transient),
    ("GetObject", "Whatever", 502, Transient),
    ("GetObject", "Whatever", 504, Transient),
    ("GetObject", "RequestTimeout", 400, Transient),
    ("PutObject", "IncompleteBody", 400, Transient),
    ("PutObject", "BadDigest", 400, Transient),
    ("PutObject", "XAmzContentSHA256Mismatch", 400, Transient),
    ("PutObject", "ConditionalRequestConflict", 409, Transient),
    ("PutObject", "OperationAborted", 409, Transient),
    ("ListObjectsV2", "", 200, Transient),
    ("ListObjectsV2", "Unheard", 200, Transient),
    ("ListObjectsV2", "", 0, Transient),
    ("GetObject", "AccessDenied", 403, AccessRefused),
    ("HeadObject", "403", 403, AccessRefused),
    ("HeadObject", "400", 400, AccessRefused),
    ("HeadBucket", "401", 401, AccessRefused),
    ("GetObject", "InvalidAccessKeyId", 403, AccessRefused),
    ("GetObject", "SignatureDoesNotMatch", 403, AccessRefused),
    ("GetObject", "ExpiredToken", 400, AccessRefused),
    ("GetObject", "Unheard", 403, AccessRefused),
    ("PutObject", "KMS.DisabledException", 400, AccessRefused),
    ("ListObjectsV2", "NoSuchBucket", 404, AccessRefused),
    ("PutObject", "NoSuchBucket", 404, AccessRefused),
    ("GetObject", "NoSuchBucket", 404, AccessRefused),
    ("GetObject", "NoSuchKey", 404, Missing),
    ("GetObjectTagging", "NoSuchKey", 404, Missing),
    ("HeadObject", "404", 404, Missing),
    ("GetObject", "", 404, Missing),
    ("GetObject", "NoSuchVersion", 404, StaleSlice),
    ("GetObject", "PreconditionFailed", 412, StaleSlice),
    ("GetObject", "InvalidRange", 416, StaleSlice),
    ("PutObject", "PreconditionFailed", 412, Occupied),
    ("PutObject", "NoSuchKey", 404, Occupied),
    ("PutObject", "NotImplemented", 501, StoreRefused),
    ("GetObject", "InvalidObjectState", 403, Archived),
    ("GetObject", "PermanentRedirect", 301, StoreRefused),
    ("HeadObject", "301", 301, StoreRefused),
    ("PutObject", "TemporaryRedirect", 307, StoreRefused),
    ("ListObjectsV2", "AuthorizationHeaderMalformed", 400, StoreRefused),
    ("ListObjectsV2", "IllegalLocationConstraintException", 400, StoreRefused),
    ("PutObject", "RequestTimeTooSkewed", 403, Refused),
    ("PutObject", "EntityTooLarge", 400, Refused),
    ("PutObject", "KeyTooLongError", 400, Refused),
    ("PutObject", "MethodNotAllowed", 405, Refused),
    ("GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError", 404, Refused),
]

RAISED: list[tuple[Exception, type[RepatriaError]]] = [
    (sdk.EndpointConnectionError(endpoint_url=URL), Transient),
    (sdk.ConnectTimeoutError(endpoint_url=URL), Transient),
    (sdk.ReadTimeoutError(endpoint_url=URL), Transient),
    (sdk.ConnectionClosedError(endpoint_url=URL), Transient),
    (sdk.ProxyConnectionError(proxy_url=URL), Transient),
    (sdk.HTTPClientError(error=URL), Transient),
    (sdk.ResponseStreamingError(error=URL), Transient),
    (sdk.IncompleteReadError(actual_bytes=1, expected_bytes=2), Transient),
    (sdk.FlexibleChecksumError(error_msg=URL), Garbled),
    (sdk.SSLError(endpoint_url=URL, error=OSError("EOF")), Transient),
    (
        sdk.SSLError(endpoint_url=URL, error=OSError("[SSL: CERTIFICATE_VERIFY_FAILED]")),
        StoreRefused,
    ),
    (ResponseParserError(URL), Transient),
    (ProtocolError(URL), Transient),
    (ReadTimeoutError(None, URL, "slow"), Transient),  # type: ignore[arg-type]
    (http.client.IncompleteRead(b"ada@example.org"), Transient),
    (ConnectionResetError(URL), Transient),
    (TimeoutError(URL), Transient),
    (ValueError(URL), Transient),
    (UnicodeDecodeError("utf-8", b"ada@example.org", 0, 1, URL), Transient),
    (socket.gaierror(-2, URL), Transient),
    (ssl.SSLEOFError(URL), Transient),
    (sdk.NoCredentialsError(), AccessRefused),
    (sdk.PartialCredentialsError(provider="env", cred_var=URL), AccessRefused),
    (sdk.CredentialRetrievalError(provider="x", error_msg=URL), AccessRefused),
    (sdk.ProfileNotFound(profile=URL), AccessRefused),
    (sdk.UnauthorizedSSOTokenError(), AccessRefused),
    (PermissionError(URL), AccessRefused),
    (sdk.NoRegionError(), ConfigRefused),
    (sdk.InvalidRegionError(region_name=URL), ConfigRefused),
    (FileNotFoundError(URL), ConfigRefused),
    (sdk.InvalidConfigError(error_msg=URL), ConfigRefused),
]


@pytest.mark.parametrize(("operation", "code", "status", "sort"), ANSWERS)
def test_each_answer_has_one_meaning(
    operation: str, code: str, status: int, sort: type[RepatriaError]
) -> None:
    meant = translate(answer(code, status), Call(SITE, operation))
    assert type(meant) is sort
    assert isinstance(meant, RepatriaError)
    assert meant.facts["operation"] == operation
    assert meant.facts["status"] == status
    assert "ada@" not in f"{meant} {meant!r} {meant.facts}"


@pytest.mark.parametrize(("failure", "sort"), RAISED, ids=lambda value: type(value).__name__)
def test_each_failure_of_the_way_there_has_one_meaning(
    failure: Exception, sort: type[RepatriaError]
) -> None:
    meant = translate(failure, Call(SITE, "GetObject"))
    assert type(meant) is sort
    assert isinstance(meant, RepatriaError)
    assert meant.facts["cause"] == type(failure).__name__
    assert "ada@" not in f"{meant} {meant!r} {meant.facts}"


@pytest.mark.parametrize(
    "defect",
    [
        sdk.ParamValidationError(report=URL),
        sdk.ValidationError(value=URL, param="x", type_name="y"),
        sdk.MissingParametersError(object_name="x", missing=URL),
    ],
)
def test_what_the_sdk_does_not_take_is_a_bug_of_ours(defect: Exception) -> None:
    meant = translate(defect, Call(SITE, "GetObject"))
    assert isinstance(meant, AssertionError)
    assert "ada@" not in str(meant)


@pytest.mark.parametrize("status", [404, 405])
def test_a_version_that_is_not_there_makes_a_slice_stale(status: int) -> None:
    call = Call(SITE, "HeadObject", versioned=True)
    assert type(translate(answer(str(status), status), call)) is StaleSlice


def test_a_missing_bucket_is_not_a_missing_version() -> None:
    call = Call(SITE, "GetObject", versioned=True)
    assert type(translate(answer("NoSuchBucket", 404), call)) is AccessRefused
    assert type(translate(answer("NoSuchKey", 404), call)) is Missing


def test_every_exception_of_the_sdk_has_a_meaning() -> None:
    for name, kind in vars(sdk).items():
        if isinstance(kind, type) and issubclass(kind, sdk.BotoCoreError):
            failure = kind.__new__(kind)
            Exception.__init__(failure, name)
            meant = translate(failure, Call(SITE, "GetObject"))
            assert isinstance(meant, RepatriaError | AssertionError), name


def test_a_vendors_exception_is_neither_chained_nor_shown() -> None:
    with pytest.raises(Transient) as caught, translated(SITE, "GetObject"):
        raise sdk.EndpointConnectionError(endpoint_url=URL)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_no_vendor_raises_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), translated(SITE, "GetObject"):
        raise ZeroDivisionError
