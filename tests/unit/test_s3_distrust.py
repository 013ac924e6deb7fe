from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pyarrow as pa
import pytest

from connectors.s3.location import key_region
from repatria.errors import (
    AccessRefused,
    BadObject,
    Garbled,
    Missing,
    RepatriaError,
    StaleSlice,
    StoreRefused,
    Throttled,
    Transient,
)
from repatria.ports.bucket import ABSENT
from repatria.stored import About, Checksum, ObjectVersion
from tests.unit.canned_s3 import SETTINGS, Answer, Canned, give_keys, page, sha256_hex

FOUND = ObjectVersion("p/a", 10, "abc")
ERROR = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>x</Message></Error>"
EMPTY = Answer()


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    give_keys(monkeypatch)


def piece(body: bytes, said: str, status: int = 206, etag: str = '"abc"') -> Answer:
    return Answer(status, body, {"etag": etag, "content-range": said})


def whole(body: bytes, **headers: str) -> Answer:
    return Answer(200, body, {"etag": '"abc"', **headers})


def sha256_header(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_a_good_piece_is_believed() -> None:
    canned = Canned(SETTINGS, piece(b"234", "bytes 2-4/10"))
    assert canned.bucket.read(FOUND, 2, 5).to_pybytes() == b"234"
    assert canned.requests[0].headers["Range"] == b"bytes=2-4"
    assert canned.requests[0].headers["If-Match"] == b'"abc"'


@pytest.mark.parametrize(
    ("answer", "sort"),
    [
        (EMPTY, Transient),
        (Answer(200, ERROR), Transient),
        (Answer(206, b"234"), Transient),
        (piece(b"234", "bytes 2-4/10", status=200), Transient),
        (piece(b"234", "bytes 3-5/10"), Transient),
        (piece(b"234", "bytes 2-4/11"), Transient),
        (piece(b"23", "bytes 2-4/10"), Transient),
        (piece(b"2345", "bytes 2-4/10"), Transient),
        (
            Answer(
                206,
                b"23",
                {"etag": '"abc"', "content-range": "bytes 2-4/10", "content-length": "3"},
            ),
            Transient,
        ),
    ],
)
def test_a_bad_piece_is_not(answer: Answer, sort: type[RepatriaError]) -> None:
    with pytest.raises(sort) as caught:
        Canned(SETTINGS, answer).bucket.read(FOUND, 2, 5)
    assert type(caught.value) is sort


@pytest.mark.parametrize(
    "answer",
    [
        EMPTY,
        Answer(200, ERROR),
        Answer(200, (ERROR + b" " * 10)[:10]),
        whole(b"012345678"),
        whole(b"0123456789x"),
        whole(b"012345678", **{"content-length": "10"}),
        whole(b"0123456789", **{"x-amz-checksum-sha256": sha256_header(b"0123456788")}),
    ],
)
def test_a_bad_body_is_caught_read_or_streamed(answer: Answer) -> None:
    with pytest.raises(Transient):
        Canned(SETTINGS, answer).bucket.read(FOUND)
    with pytest.raises(Transient), Canned(SETTINGS, answer).bucket.stream(FOUND, 4) as chunks:
        list(chunks)


def test_a_stream_yields_what_came_before_it_broke() -> None:
    broken = whole(b"01234567", **{"content-length": "10"})
    with Canned(SETTINGS, broken).bucket.stream(FOUND, 4) as chunks:
        assert [next(chunks), next(chunks)] == [b"0123", b"4567"]
        with pytest.raises(Transient):
            next(chunks)


def seen(etag: str, size: int = 10, version: str = "null") -> Answer:
    told = {"content-length": str(size), "x-amz-version-id": version}
    return Answer(headers={"etag": f'"{etag}"', **told})


@pytest.mark.parametrize(
    ("stands", "sort"),
    [(seen("abc"), Transient), (seen("other"), StaleSlice), (seen("abc", 11), StaleSlice)],
)
def test_an_answer_about_another_version_is_doubted_before_the_object_counts_as_changed(
    stands: Answer, sort: type[RepatriaError]
) -> None:
    other = piece(b"234", "bytes 2-4/10", etag='"other"')
    canned = Canned(SETTINGS, other, stands)
    with pytest.raises(sort) as caught:
        canned.bucket.read(FOUND, 2, 5)
    assert type(caught.value) is sort
    assert [request.method for request in canned.requests] == ["GET", "HEAD"]


BODY = b"0123456789"
PLAIN = replace(FOUND, etag=hashlib.md5(BODY).hexdigest())
GARBLED = b"0123456788"


def named(body: bytes, **headers: str) -> Answer:
    """An answer whose ETag is the MD5 of what should have come."""
    return Answer(200, body, {"etag": f'"{PLAIN.etag}"', **headers})


def test_a_body_without_a_checksum_is_compared_with_the_md5_that_its_etag_is() -> None:
    assert Canned(SETTINGS, named(BODY)).bucket.read(PLAIN).to_pybytes() == BODY
    with pytest.raises(Garbled) as caught:
        Canned(SETTINGS, named(GARBLED)).bucket.read(PLAIN)
    assert caught.value.facts["checksum"] == "MD5"
    answer = named(GARBLED, **{"x-amz-checksum-sha256": sha256_header(BODY)})
    with pytest.raises(Garbled, match="checksum"):
        Canned(SETTINGS, answer).bucket.read(PLAIN)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-server-side-encryption": "aws:kms"},
        {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
        {"x-amz-checksum-sha256": sha256_header(GARBLED)},
    ],
)
def test_an_etag_that_need_not_be_an_md5_is_not_taken_for_one(headers: dict[str, str]) -> None:
    assert Canned(SETTINGS, named(GARBLED, **headers)).bucket.read(PLAIN).to_pybytes() == GARBLED


@pytest.mark.parametrize(
    "headers", [{"x-amz-checksum-crc64nvme": "AAAA"}, {"x-amz-checksum-sha256": "AAAA-2"}]
)
def test_a_checksum_that_can_be_none_of_the_body_is_no_reason_to_believe(
    headers: dict[str, str],
) -> None:
    with pytest.raises(Garbled):
        Canned(SETTINGS, named(GARBLED, **headers)).bucket.read(PLAIN)


CRCS = {
    "x-amz-checksum-crc32": "poTHxg==",
    "x-amz-checksum-crc32c": "KAwGng==",
    "x-amz-checksum-crc64nvme": "Ffmx7kz9nB0=",
}
"""Of ``BODY``."""


@pytest.mark.parametrize("name", CRCS)
def test_a_crc_alone_tells_a_flipped_bit_read_or_streamed(name: str) -> None:
    headers = {name: CRCS[name], "x-amz-checksum-type": "FULL_OBJECT"}
    assert Canned(SETTINGS, whole(BODY, **headers)).bucket.read(FOUND).to_pybytes() == BODY
    with Canned(SETTINGS, whole(BODY, **headers)).bucket.stream(FOUND, 4) as chunks:
        assert b"".join(chunks) == BODY
    flipped = whole(GARBLED, **headers)
    with pytest.raises(Garbled):
        Canned(SETTINGS, flipped).bucket.read(FOUND)
    with pytest.raises(Garbled), Canned(SETTINGS, flipped).bucket.stream(FOUND, 4) as chunks:
        list(chunks)


def test_where_there_is_a_checksum_the_etag_is_not_asked() -> None:
    headers = {"x-amz-checksum-crc32": CRCS["x-amz-checksum-crc32"]}
    other = replace(FOUND, etag=hashlib.md5(b"other").hexdigest())
    answer = Answer(200, BODY, {"etag": f'"{other.etag}"', **headers})
    assert Canned(SETTINGS, answer).bucket.read(other).to_pybytes() == BODY


def test_a_checksum_of_parts_is_none_of_the_body() -> None:
    headers = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "COMPOSITE"}
    assert Canned(SETTINGS, whole(BODY, **headers)).bucket.read(FOUND).to_pybytes() == BODY


def test_what_is_read_back_is_compared_with_what_was_sent() -> None:
    sent = pa.py_buffer(BODY)
    answers = whole(BODY), whole(GARBLED), whole(b"012345678")
    bucket = Canned(SETTINGS, *answers).bucket
    assert bucket.read_back(FOUND, sent).to_pybytes() == BODY
    with pytest.raises(Garbled, match="sent"):
        bucket.read_back(FOUND, sent)
    with pytest.raises(Transient, match="not as long"):
        bucket.read_back(FOUND, sent)


def test_where_etags_are_opaque_none_is_an_md5() -> None:
    settings = replace(SETTINGS, etags_are_md5=False)
    assert Canned(settings, named(GARBLED)).bucket.read(PLAIN).to_pybytes() == GARBLED
    assert not Canned(settings, seen(PLAIN.etag)).bucket.head("p/a").etag_is_md5


def test_a_version_is_asked_for_by_its_name_and_compared() -> None:
    found = replace(FOUND, version="v1")
    good = whole(b"0123456789", **{"x-amz-version-id": "v1"})
    other = whole(b"0123456789", **{"x-amz-version-id": "v2"})
    now = seen("abc", version="v1")
    gone = Answer(404)
    canned = Canned(SETTINGS, good, other, now, other, gone)
    assert canned.bucket.read(found).size == 10
    assert "versionId=v1" in canned.requests[0].url
    with pytest.raises(Transient):
        canned.bucket.read(found)
    with pytest.raises(StaleSlice):
        canned.bucket.read(found)


def test_an_empty_object_is_asked_for_without_a_range() -> None:
    canned = Canned(SETTINGS, whole(b""))
    assert canned.bucket.read(replace(FOUND, size=0)).size == 0
    assert "Range" not in canned.requests[0].headers


def ending_early(answer: Answer) -> Answer:
    """A page whose flag was damaged: the SDK reads anything but "true" as false."""
    return replace(answer, body=answer.body.replace(b">true<", b">trte<"))


def echoing(token: str, answer: Answer) -> Answer:
    told = f"<Name>parcels</Name><ContinuationToken>{token}</ContinuationToken>".encode()
    return replace(answer, body=answer.body.replace(b"<Name>parcels</Name>", told))


@pytest.mark.parametrize(
    ("answers", "sort"),
    [
        ([EMPTY], Transient),
        ([Answer(200, ERROR)], Transient),
        ([Answer(200, b"<ListBucketResult>")], Transient),
        ([Answer(200, b"<html>sign in</html>")], Transient),
        ([page("p/a", name="others")], Transient),
        ([page("p/a", count=2)], Transient),
        ([page("q/a")], StoreRefused),
        ([page("p/b", "p/a")], StoreRefused),
        ([page("p/a", "p/a")], StoreRefused),
        ([page("p/b", more="t1"), page("p/a")], StoreRefused),
        ([page("p/a", more="t1"), page("p/b", more="t1")], StoreRefused),
        ([page("p/a", more="t1"), EMPTY], Transient),
        ([ending_early(page("p/a", more="t1"))], Transient),
        ([page("p/a", more="t1"), echoing("t2", page("p/b"))], Transient),
        ([Answer(503, b"")], Throttled),
        ([Answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")], AccessRefused),
    ],
)
def test_a_bad_listing_is_never_taken_for_the_end(
    answers: list[Answer], sort: type[RepatriaError]
) -> None:
    with pytest.raises(sort) as caught:
        list(Canned(SETTINGS, *answers).bucket.list("p/"))
    assert type(caught.value) is sort


def test_a_page_that_is_cut_short_must_say_where_the_next_begins() -> None:
    body = page("p/a").body.replace(b"<IsTruncated>false", b"<IsTruncated>true")
    with pytest.raises(Transient):
        list(Canned(SETTINGS, Answer(body=body)).bucket.list("p/"))


def test_pages_are_read_to_the_end() -> None:
    canned = Canned(SETTINGS, page("p/a", more="t1"), page(more="t2"), page("p/b"), page())
    assert [found.object.key for found in canned.bucket.list("p/")] == ["p/a", "p/b"]
    assert "continuation-token=t2" in canned.requests[2].url
    assert "start-after=p%2Fb" in canned.requests[3].url


def test_an_announced_end_is_believed_when_nothing_follows_it() -> None:
    canned = Canned(SETTINGS, page("p/a", "p/b"), page("p/c", more="t1"), page("p/d"), page())
    assert [it.object.key for it in canned.bucket.list("p/")] == ["p/a", "p/b", "p/c", "p/d"]
    assert ["start-after" in request.url for request in canned.requests] == [
        False,
        True,
        False,
        True,
    ]
    with pytest.raises(Transient):
        list(Canned(SETTINGS, page("p/a"), EMPTY).bucket.list("p/"))
    with pytest.raises(StoreRefused):
        list(Canned(SETTINGS, page("p/a"), page("p/a")).bucket.list("p/"))


def test_a_listing_tells_what_must_be_restored() -> None:
    classes = ("GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", "INTELLIGENT_TIERING")
    body = page(*(f"p/{number}" for number in range(4))).body.decode()
    for name in classes:
        body = body.replace("</ETag></C", f"</ETag><StorageClass>{name}</StorageClass></C", 1)
    found = list(Canned(SETTINGS, Answer(body=body.encode()), page()).bucket.list("p/"))
    assert [one.archived for one in found] == [True, True, False, False]


@pytest.mark.parametrize("headers", [{}, {"content-length": "0"}])
def test_an_empty_look_is_not_an_object(headers: dict[str, str]) -> None:
    with pytest.raises(Transient):
        Canned(SETTINGS, Answer(headers=headers)).bucket.head("p/a")


def test_a_look_with_a_damaged_date_is_not_an_object() -> None:
    damaged = seen("abc", version="v1")
    headers = {**damaged.headers, "last-modified": "Mo"}
    with pytest.raises(Transient):
        Canned(SETTINGS, replace(damaged, headers=headers)).bucket.head("p/a")


def look(**headers: str) -> Answer:
    return Answer(headers={"etag": f'"{"0" * 32}"', "content-length": "3", **headers})


@pytest.mark.parametrize(
    ("headers", "archived"),
    [
        ({}, False),
        ({"x-amz-storage-class": "GLACIER"}, True),
        ({"x-amz-storage-class": "GLACIER_IR"}, False),
        ({"x-amz-storage-class": "DEEP_ARCHIVE", "x-amz-restore": 'ongoing-request="true"'}, True),
        (
            {
                "x-amz-storage-class": "GLACIER",
                "x-amz-restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2040"',
            },
            False,
        ),
        ({"x-amz-archive-status": "ARCHIVE_ACCESS"}, True),
    ],
)
def test_a_look_tells_what_must_be_restored(headers: dict[str, str], archived: bool) -> None:
    assert Canned(SETTINGS, look(**headers)).bucket.head("p/a").archived is archived


@pytest.mark.parametrize(
    ("headers", "checksum"),
    [
        ({}, None),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, Checksum("CRC32", "AAAAAA==")),
        ({"x-amz-checksum-sha256": "AAAA-2", "x-amz-checksum-type": "COMPOSITE"}, None),
        ({"x-amz-checksum-sha256": "AAAA-2"}, None),
        ({"x-amz-checksum-crc32c": "AAAAAA==", "etag": '"00-2"'}, None),
        (
            {
                "x-amz-checksum-crc64nvme": "AAAA",
                "x-amz-checksum-type": "FULL_OBJECT",
                "etag": '"00-2"',
            },
            Checksum("CRC64NVME", "AAAA"),
        ),
    ],
)
def test_only_a_checksum_of_the_whole_object_counts(
    headers: dict[str, str], checksum: Checksum | None
) -> None:
    assert Canned(SETTINGS, look(**headers)).bucket.head("p/a").checksum == checksum


@pytest.mark.parametrize(
    ("headers", "is_md5"),
    [
        ({}, True),
        ({"x-amz-server-side-encryption": "AES256"}, True),
        ({"x-amz-server-side-encryption": "aws:kms"}, False),
        ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, False),
        ({"etag": f'"{"0" * 32}-2"'}, False),
        ({"etag": '"something"'}, False),
    ],
)
def test_an_etag_is_an_md5_only_where_it_must_be(headers: dict[str, str], is_md5: bool) -> None:
    assert Canned(SETTINGS, look(**headers)).bucket.head("p/a").etag_is_md5 is is_md5


def test_a_look_keeps_headers_metadata_and_version() -> None:
    answer = look(
        **{
            "content-type": "text/csv",
            "expires": "0",
            "x-amz-meta-origin": "us",
            "x-amz-version-id": "v7",
        }
    )
    found = Canned(SETTINGS, answer).bucket.head("p/a")
    assert found.headers == {"Content-Type": "text/csv", "Expires": "0"}
    assert found.metadata == {"origin": "us"}
    assert found.object.version == "v7"


def test_the_null_version_is_none() -> None:
    assert (
        Canned(SETTINGS, look(**{"x-amz-version-id": "null"})).bucket.head("p/a").object.version
        is None
    )


def put(canned: Canned, **more: object) -> ObjectVersion:
    about = About(sha256=sha256_hex(b"body"), **more)  # type: ignore[arg-type]
    return canned.bucket.put("p/a", b"body", about, ABSENT)


def test_a_put_carries_condition_checksum_encryption_owner_and_payer() -> None:
    settings = replace(
        SETTINGS,
        sse="aws:kms",
        kms_key_id="arn:aws:kms:eu-west-1:1:key/x",
        expected_owner="111122223333",
        requester_pays=True,
    )
    canned = Canned(settings, Answer(headers={"etag": '"e"', "x-amz-version-id": "v1"}))
    told = {"headers": {"content-type": "text/csv", "Expires": "0"}, "storage_class": "STANDARD_IA"}
    assert put(canned, **told) == ObjectVersion("p/a", 4, "e", "v1")
    sent = canned.requests[0].headers
    assert sent["If-None-Match"] == b"*"
    assert sent["x-amz-checksum-sha256"] == sha256_header(b"body").encode()
    assert sent["x-amz-server-side-encryption"] == b"aws:kms"
    assert sent["x-amz-expected-bucket-owner"] == b"111122223333"
    assert sent["x-amz-request-payer"] == b"requester"
    assert sent["x-amz-storage-class"] == b"STANDARD_IA"
    assert sent["Content-Type"] == b"text/csv"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_put_is_signed_with_the_digest_that_it_tells(scheme: str) -> None:
    settings = replace(SETTINGS, endpoint_url=f"{scheme}://store.invalid:9000")
    canned = Canned(settings, Answer(headers={"etag": '"e"'}))
    put(canned)
    sent = canned.requests[0].headers
    assert sent["X-Amz-Content-SHA256"] == sha256_hex(b"body").encode()
    assert b"x-amz-checksum-sha256" in sent["Authorization"]


def test_a_put_that_replaces_names_what_it_replaces() -> None:
    canned = Canned(SETTINGS, Answer(headers={"etag": '"e"'}))
    canned.bucket.put("p/a", b"body", About(sha256=sha256_hex(b"body")), FOUND)
    assert canned.requests[0].headers["If-Match"] == b'"abc"'
    assert "If-None-Match" not in canned.requests[0].headers


@pytest.mark.parametrize(
    "answer",
    [EMPTY, Answer(200, ERROR), Answer(headers={"etag": '"e"', "x-amz-checksum-sha256": "AAAA"})],
)
def test_a_put_is_done_only_when_the_store_says_so(answer: Answer) -> None:
    with pytest.raises(Transient):
        put(Canned(SETTINGS, answer))


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"X-Unheard": "1"}},
        {"headers": {"Expires": "whenever"}},
        {"metadata": {"name": "Ærø"}},
    ],
)
def test_what_the_store_cannot_keep_is_refused_before_anything_is_sent(
    more: dict[str, object],
) -> None:
    canned = Canned(SETTINGS)
    with pytest.raises(BadObject):
        put(canned, **more)
    assert canned.requests == []


@pytest.mark.parametrize(
    ("body", "location"),
    [
        (b"<LocationConstraint/>", "us-east-1"),
        (b"<LocationConstraint>EU</LocationConstraint>", "eu-west-1"),
        (b"<LocationConstraint>eu-north-1</LocationConstraint>", "eu-north-1"),
    ],
)
def test_a_store_tells_its_location(body: bytes, location: str) -> None:
    none = Answer(
        404, b"<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>"
    )
    observed = Canned(SETTINGS, Answer(body=body), none).bucket.observe()
    assert (observed.location, observed.key_region, observed.owner) == (location, None, None)
    assert observed.endpoint == "store.invalid:9000"


def test_an_empty_answer_is_no_location() -> None:
    with pytest.raises(Transient):
        Canned(SETTINGS, EMPTY).bucket.observe()


@pytest.mark.parametrize(("status", "owner"), [(403, "111122223333"), (200, None)])
def test_an_owner_is_believed_if_a_wrong_one_is_refused(status: int, owner: str | None) -> None:
    settings = replace(
        SETTINGS,
        expected_owner="111122223333",
        sse="aws:kms",
        kms_key_id="arn:aws:kms:eu-central-1:111122223333:key/x",
    )
    location = Answer(body=b"<LocationConstraint>eu-west-1</LocationConstraint>")
    observed = Canned(settings, location, Answer(200), Answer(status)).bucket.observe()
    assert observed.owner == owner
    assert observed.key_region == "eu-central-1"


@pytest.mark.parametrize("key", [None, "alias/x", "1234", "arn:aws:s3:::x"])
def test_only_an_arn_says_where_a_key_lives(key: str | None) -> None:
    assert key_region(key) is None


@pytest.mark.parametrize("code", ["NotImplemented", "MethodNotAllowed"])
def test_a_store_without_tags_has_none(code: str) -> None:
    answer = Answer(501, f"<Error><Code>{code}</Code></Error>".encode())
    assert Canned(SETTINGS, answer).bucket.tags("p/a") == {}


def test_an_empty_answer_is_not_an_empty_set_of_tags() -> None:
    with pytest.raises(Transient):
        Canned(SETTINGS, EMPTY).bucket.tags("p/a")
    missing = Answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
    with pytest.raises(Missing):
        Canned(SETTINGS, missing).bucket.tags("p/a")


def test_tags_of_another_version_are_not_believed() -> None:
    answer = Answer(body=b"<Tagging><TagSet/></Tagging>", headers={"x-amz-version-id": "v2"})
    with pytest.raises(Transient):
        Canned(SETTINGS, answer).bucket.tags("p/a", "v1")
    assert Canned(SETTINGS, answer).bucket.tags("p/a", "v2") == {}


def test_a_body_of_another_length_is_not_even_begun() -> None:
    huge = whole(b"", **{"content-length": "1000000000000"})
    with pytest.raises(Transient, match="not as long as what was asked for"):
        Canned(SETTINGS, huge).bucket.read(FOUND)


def test_an_empty_answer_does_not_say_that_no_versions_are_kept() -> None:
    with pytest.raises(Transient):
        Canned(SETTINGS, EMPTY).bucket.probe("_repatria/probe")
