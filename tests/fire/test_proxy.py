"""The fault proxy does what it says, seen by a plain HTTP client: else its trials prove nothing."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import pytest

from tests.fire.asked import ENGINE, Operation
from tests.fire.faults import Fault
from tests.fire.proxy import FaultProxy, Rule, proxied, spawned, storm
from tests.fire.store import plain_client

BODY = bytes(range(256)) * 40
OTHER = b"another body"
SIGNED = "AWS4-HMAC-SHA256 Credential=anybody/20260101/us-east-1/s3/aws4_request"
_NUMBERS = count(1)


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def bucket(store: str) -> Iterator[str]:
    """A bucket that holds ``a`` and ``b``."""
    name = f"proxied-{next(_NUMBERS)}"
    with plain_client(store) as s3:
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="a", Body=BODY)
        s3.put_object(Bucket=name, Key="b", Body=OTHER)
        yield name


def ask(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> Got:
    """Ask once, on a connection of its own."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=1)
    try:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        told["Authorization"] = SIGNED
        connection.request(method, path, body, told)
        answer = connection.getresponse()
        return Got(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def get(proxy: FaultProxy, bucket: str, key: str = "a") -> Got:
    return ask(proxy.url, "GET", f"/{bucket}/{key}")


def test_without_rules_everything_passes_unchanged(
    proxy: FaultProxy, store: str, bucket: str
) -> None:
    for method, path in [("GET", "a"), ("HEAD", "a"), ("GET", "?list-type=2"), ("HEAD", "no")]:
        here, there = (ask(url, method, f"/{bucket}/{path}") for url in (proxy.url, store))
        assert (here.status, here.body) == (there.status, there.body)
        assert here.headers.get("ETag") == there.headers.get("ETag")
        assert here.headers["Content-Length"] == there.headers["Content-Length"]
    assert ask(proxy.url, "PUT", f"/{bucket}/new", BODY).status == 200
    assert get(proxy, bucket, "new").body == BODY
    assert not proxy.injected
    assert proxy.asked[Operation.GET] == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET_BEFORE, ConnectionResetError),
        (Fault.RESET_AFTER, ConnectionResetError),
        (Fault.CUT, http.client.IncompleteRead),
        (Fault.CUT_HEAD, http.client.HTTPException),
        (Fault.GARBAGE, http.client.BadStatusLine),
        (Fault.STALL, TimeoutError),
        (Fault.STALL_MIDWAY, TimeoutError),
    ],
)
def test_a_fault_of_the_connection_ends_it(
    proxy: FaultProxy, bucket: str, fault: Fault, error: type[Exception]
) -> None:
    proxy.rules = [Rule((fault,))]
    if fault is Fault.CUT_HEAD:
        assert get(proxy, bucket).body != BODY
    else:
        with pytest.raises(error):
            get(proxy, bucket)
    assert proxy.injected == {(fault, Operation.GET): 1}
    assert get(proxy, bucket).body == BODY


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.SLOW_DOWN, 503),
        (Fault.INTERNAL_ERROR, 500),
        (Fault.TOO_MANY, 429),
        (Fault.EMPTY_200, 200),
        (Fault.ERROR_200, 200),
        (Fault.REDIRECT, 301),
        (Fault.REDIRECT_SOON, 307),
    ],
)
def test_an_answer_that_is_made_up_asks_nobody(
    proxy: FaultProxy, bucket: str, fault: Fault, status: int
) -> None:
    proxy.rules = [Rule((fault,))]
    told = ask(proxy.url, "PUT", f"/{bucket}/new", BODY)
    assert told.status == status
    assert b"<Error>" in told.body or fault is Fault.EMPTY_200
    assert get(proxy, bucket, "new").status == 404
    assert ("Location" in told.headers) == (status in (301, 307))


def test_an_answer_is_spoilt_as_its_fault_says(proxy: FaultProxy, bucket: str) -> None:
    def spoilt(fault: Fault) -> Got:
        proxy.rules = [Rule((fault,))]
        return get(proxy, bucket)

    fitted = spoilt(Fault.CUT_FITTED)
    assert fitted.body == BODY[: len(BODY) // 2]
    assert fitted.headers["Content-Length"] == str(len(BODY) // 2)
    assert bits(spoilt(Fault.FLIP_ANSWER).body, BODY) == 1
    assert spoilt(Fault.DRIP).body == BODY
    assert spoilt(Fault.OTHER_ANSWER).body == BODY, "nothing else was ever asked"
    assert (Fault.OTHER_ANSWER, Operation.GET) not in proxy.injected
    assert get(proxy, bucket, "b").body == BODY, "the rule waited for its chance"
    assert proxy.injected[Fault.OTHER_ANSWER, Operation.GET] == 1


def test_where_there_is_no_body_the_etag_is_flipped(proxy: FaultProxy, bucket: str) -> None:
    real = ask(proxy.url, "HEAD", f"/{bucket}/a").headers["ETag"]
    proxy.rules = [Rule((Fault.FLIP_ANSWER,))]
    told = ask(proxy.url, "HEAD", f"/{bucket}/a").headers["ETag"]
    assert bits(told.encode(), real.encode()) == 1


def test_a_body_is_flipped_on_its_way_unless_the_store_verifies(store: str, bucket: str) -> None:
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    for verifies, status in ((False, 200), (True, 400)):
        with proxied(store, verifies=verifies) as proxy:
            assert (
                ask(proxy.url, "PUT", f"/{bucket}/good", BODY, x_amz_checksum_sha256=digest).status
                == 200
            )
            proxy.rules = [Rule((Fault.FLIP_REQUEST,))]
            path = f"/{bucket}/flipped-{verifies}"
            told = ask(proxy.url, "PUT", path, BODY, x_amz_checksum_sha256=digest)
            assert told.status == status
            stands = ask(proxy.url, "GET", path)
            assert stands.status == 404 if verifies else bits(stands.body, BODY) == 1
            assert proxy.injected == {(Fault.FLIP_REQUEST, Operation.PUT): 1}


def test_a_put_whose_answer_is_lost_was_done_and_one_told_twice_meets_itself(
    proxy: FaultProxy, bucket: str
) -> None:
    proxy.rules = [Rule((Fault.RESET_AFTER,))]
    with pytest.raises(ConnectionResetError):
        ask(proxy.url, "PUT", f"/{bucket}/new", BODY)
    assert get(proxy, bucket, "new").body == BODY
    proxy.rules = [Rule((Fault.DUPLICATE,))]
    told = ask(proxy.url, "PUT", f"/{bucket}/twice", BODY, If_None_Match="*")
    assert told.status == 412
    assert get(proxy, bucket, "twice").body == BODY


def test_a_listing_forgets_a_key_and_does_not_count_it(proxy: FaultProxy, bucket: str) -> None:
    proxy.rules = [Rule((Fault.FORGET_KEY,), {Operation.LIST})]
    listed = ask(proxy.url, "GET", f"/{bucket}?list-type=2").body
    assert listed.count(b"<Contents>") == 1
    assert b"<KeyCount>1</KeyCount>" in listed


def test_a_rule_hits_what_it_names_and_no_more(proxy: FaultProxy, bucket: str) -> None:
    rule = Rule((Fault.SLOW_DOWN,), {Operation.GET}, f"{bucket}/a", after=1, times=2)
    proxy.rules = [rule]
    assert ask(proxy.url, "HEAD", f"/{bucket}/a").status == 200
    assert get(proxy, bucket, "b").status == 200
    assert [get(proxy, bucket).status for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_storm_hits_its_share_and_the_same_again_for_the_same_seed(
    store: str, bucket: str
) -> None:
    def weathered(seed: int) -> list[int]:
        with proxied(store, seed) as proxy:
            proxy.rules = [storm(0.3, (Fault.SLOW_DOWN,))]
            return [get(proxy, bucket).status for _ in range(60)]

    one, again, other = weathered(1), weathered(1), weathered(2)
    assert one == again != other
    assert 6 <= one.count(503) <= 30


def test_whoever_follows_a_redirect_is_seen(proxy: FaultProxy, bucket: str) -> None:
    proxy.rules = [Rule((Fault.REDIRECT,))]
    where = get(proxy, bucket).headers["Location"]
    assert proxy.went_elsewhere == 0
    host, port = where.removeprefix("http://").partition("/")[0].split(":")
    with socket.create_connection((host, int(port)), 1) as stranger:
        assert stranger.recv(1) == b""
    assert proxy.went_elsewhere == 1


def test_every_operation_is_told_from_the_others(proxy: FaultProxy, bucket: str) -> None:
    asked = {
        Operation.GET: ("GET", "a", {}),
        Operation.GET_RANGE: ("GET", "a", {"Range": "bytes=0-1"}),
        Operation.HEAD: ("HEAD", "a", {}),
        Operation.TAGS: ("GET", "a?tagging", {}),
        Operation.LIST: ("GET", "?list-type=2&prefix=a", {}),
        Operation.CREATE: ("PUT", "n", {"If-None-Match": "*"}),
        Operation.REPLACE: ("PUT", "n", {"If-Match": '"x"'}),
        Operation.LOCATION: ("GET", "?location", {}),
        Operation.VERSIONING: ("GET", "?versioning", {}),
        Operation.ENCRYPTION: ("GET", "?encryption", {}),
        Operation.HEAD_BUCKET: ("HEAD", "", {}),
        Operation.PUT: ("PUT", "m", {}),
        Operation.UPLOAD_PART: ("PUT", "m?partNumber=1&uploadId=u", {}),
        Operation.COMPLETE: ("POST", "m?uploadId=u", {}),
        Operation.DELETE: ("DELETE", "m", {}),
    }
    for operation, (method, path, headers) in asked.items():
        before = proxy.asked[operation]
        ask(proxy.url, method, f"/{bucket}/{path}", b"" if method == "PUT" else None, **headers)
        assert proxy.asked[operation] == before + 1, operation
    assert set(ENGINE) < set(asked)


def test_a_proxy_of_its_own_process_tells_what_it_did(store: str, bucket: str) -> None:
    with spawned(store, seed=3, share=1.0, faults=(Fault.SLOW_DOWN,)) as proxy:
        path = f"/{bucket}/a"
        assert ask(proxy.url, "GET", path).status == 503
        proxy.storm(0.0)
        proxy.counts()
        assert ask(proxy.url, "GET", path).body == BODY
        assert proxy.counts() == {"injected": {"slow-down get": 1}, "asked": {"get": 2}}


def bits(one: bytes, other: bytes) -> int:
    """Count the bits in which two bodies of one length differ."""
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))
