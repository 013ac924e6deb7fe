"""What every ``Bucket`` must do. A connector or a wrapper inherits this and adds fixtures."""

from __future__ import annotations

import base64
import hashlib
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pyarrow as pa
import pytest

from repatria.errors import Garbled, Missing, Occupied, RepatriaError, StaleSlice, Transient
from repatria.ports.bucket import ABSENT, Absent, Bucket
from repatria.stored import About, ObjectVersion

ODD_KEYS = (
    "plain.parquet",
    "with space.csv",
    "plus+plus.csv",
    "percent%.csv",
    "already%2Fquoted%20twice.csv",
    "café/naïve/Ærøskøbing.jsonl",
    "日本/🇮🇪.jsonl",
    "../up/../../and/away",
    "./here",
    "/from/the/root",
    "folder/",
    "two//slashes",
    "quote'\"&<>.csv",
    "semi;colon=and?question#hash",
    "k" * 1024,
)
NEWLINES = ("new\nline", "carriage\rreturn")


def about(body: bytes, **more: object) -> About:
    return About(sha256=hashlib.sha256(body).hexdigest(), **more)  # type: ignore[arg-type]


def put(
    bucket: Bucket, key: str, body: bytes, replaces: ObjectVersion | Absent = ABSENT
) -> ObjectVersion:
    return bucket.put(key, body, about(body), replaces)


class BucketContract(ABC):
    versioned: ClassVar[bool] = True
    keeps_newlines: ClassVar[bool] = True
    ranges_of_versions: ClassVar[bool] = True
    """Whether the server answers a range of a named version with that range; S3 does."""

    odd_keys: ClassVar[tuple[str, ...]] = ODD_KEYS

    @pytest.fixture
    @abstractmethod
    def bucket(self) -> Bucket:
        """Return an empty bucket that lists two keys on a page."""

    @pytest.fixture
    @abstractmethod
    def remove(self, bucket: Bucket) -> Callable[[str], None]:
        """Return what deletes a key behind the bucket's back."""

    def test_what_was_put_is_read_back(self, bucket: Bucket) -> None:
        stored = put(bucket, "a", b"hello")
        assert (stored.key, stored.size) == ("a", 5)
        assert bucket.read(stored).to_pybytes() == b"hello"

    def test_what_is_read_back_is_what_was_sent_or_it_is_garbled(self, bucket: Bucket) -> None:
        stored = put(bucket, "a", b"hello")
        assert bucket.read_back(stored, pa.py_buffer(b"hello")).to_pybytes() == b"hello"
        for other in (b"hellp", b"hell", b"hello "):
            with pytest.raises(Garbled):
                bucket.read_back(stored, pa.py_buffer(other))
        assert bucket.read_back(put(bucket, "empty", b""), pa.py_buffer(b"")).size == 0

    def test_a_body_may_be_an_arrow_buffer(self, bucket: Bucket) -> None:
        body = pa.py_buffer(b"0123456789").slice(2, 5)
        stored = bucket.put("a", body, about(b"23456"), ABSENT)
        assert bucket.read(stored).to_pybytes() == b"23456"

    def test_an_empty_object_is_an_object(self, bucket: Bucket) -> None:
        stored = put(bucket, "empty", b"")
        assert bucket.read(stored).size == 0
        assert bucket.head("empty").object.size == 0
        with bucket.stream(stored) as chunks:
            assert b"".join(chunks) == b""
        assert [found.object.size for found in bucket.list("")] == [0]

    @pytest.mark.parametrize(
        ("start", "stop"), [(0, 1), (3, 7), (9, 10), (0, 10), (4, None), (10, None), (5, 5)]
    )
    def test_a_range_is_exactly_that_range(
        self, bucket: Bucket, start: int, stop: int | None
    ) -> None:
        stored = put(bucket, "a", b"0123456789")
        part = b"0123456789"[start:stop]
        if part in (b"", b"0123456789") or self.ranges_of_versions:
            assert bucket.read(stored, start, stop).to_pybytes() == part
            return
        with pytest.raises(Transient):  # The whole is not the piece, and is not taken for it.
            bucket.read(stored, start, stop)
        listed = replace(stored, version=None)
        assert bucket.read(listed, start, stop).to_pybytes() == part

    def test_a_repeated_put_finds_the_place_taken(self, bucket: Bucket) -> None:
        first = put(bucket, "a", b"same")
        with pytest.raises(Occupied):
            put(bucket, "a", b"same")
        assert bucket.head("a").object == first

    def test_nothing_is_overwritten_that_was_not_expected(self, bucket: Bucket) -> None:
        first = put(bucket, "a", b"first")
        put(bucket, "a", b"second", first)
        for replaces in (ABSENT, first):
            with pytest.raises(Occupied):
                put(bucket, "a", b"third", replaces)
        assert bucket.read(bucket.head("a").object).to_pybytes() == b"second"

    def test_what_stands_there_is_replaced_when_it_is_named(self, bucket: Bucket) -> None:
        first = put(bucket, "a", b"first")
        second = put(bucket, "a", b"second", first)
        assert second.etag != first.etag
        assert bucket.head("a").object == second
        assert bucket.read(second).to_pybytes() == b"second"

    def test_nothing_is_replaced_where_nothing_stands(self, bucket: Bucket) -> None:
        stored = put(bucket, "a", b"somewhere else")
        with pytest.raises(Occupied):
            put(bucket, "b", b"new", ObjectVersion("b", stored.size, stored.etag))
        assert [found.object.key for found in bucket.list("")] == ["a"]

    def test_a_listed_object_that_changed_is_stale(self, bucket: Bucket) -> None:
        first = put(bucket, "a", b"12345")
        (listed,) = bucket.list("a")
        put(bucket, "a", b"54321", first)
        with pytest.raises(StaleSlice):
            bucket.read(listed.object)
        with pytest.raises(StaleSlice):
            bucket.read(listed.object, 1, 2)
        with pytest.raises(StaleSlice), bucket.stream(listed.object) as chunks:
            next(chunks)

    def test_an_older_version_is_read_or_refused_but_never_mixed_up(self, bucket: Bucket) -> None:
        first = put(bucket, "a", b"12345")
        second = put(bucket, "a", b"54321", first)
        assert (first.version is not None) == self.versioned
        if not self.versioned:
            with pytest.raises(StaleSlice):
                bucket.read(first)
            return
        assert bucket.read(first).to_pybytes() == b"12345"
        assert bucket.head("a", first.version).object == first
        assert bucket.read(second).to_pybytes() == b"54321"
        assert bucket.read(replace(second, version=None), 0, 2).to_pybytes() == b"54"
        with pytest.raises(StaleSlice):
            bucket.read(replace(first, version=None), 0, 2)

    def test_what_is_not_there_is_missing(self, bucket: Bucket) -> None:
        absent = ObjectVersion("nothing/here", 3, "0" * 32)
        with pytest.raises(Missing):
            bucket.head(absent.key)
        with pytest.raises(Missing):
            bucket.read(absent)
        with pytest.raises(Missing):
            bucket.tags(absent.key)
        with pytest.raises(Missing), bucket.stream(absent) as chunks:
            next(chunks)

    def test_what_was_removed_is_missing_and_not_listed(
        self, bucket: Bucket, remove: Callable[[str], None]
    ) -> None:
        put(bucket, "a", b"1")
        put(bucket, "b", b"2")
        remove("a")
        with pytest.raises(Missing):
            bucket.head("a")
        assert [found.object.key for found in bucket.list("")] == ["b"]

    def test_what_stands_beside_the_bytes_is_kept(self, bucket: Bucket) -> None:
        headers = {
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Encoding": "gzip",
            "Content-Language": "ga",
            "Content-Disposition": 'attachment; filename="x.csv"',
            "Cache-Control": "max-age=60",
        }
        metadata, tags = {"origin": "us-east", "note": "a b"}, {"team": "a+b =c/d@e", "x": "é"}
        told = about(b"body", headers=headers, metadata=metadata, tags=tags)
        stored = bucket.put("a", b"body", told, ABSENT)
        found = bucket.head("a", stored.version)
        assert dict(found.headers) == headers
        assert dict(found.metadata) == metadata
        assert bucket.tags("a") == bucket.tags("a", stored.version) == tags
        assert found.storage_class == "STANDARD"
        assert not found.archived

    def test_an_object_without_tags_has_none(self, bucket: Bucket) -> None:
        put(bucket, "a", b"body")
        assert bucket.tags("a") == {}

    def test_a_look_tells_the_checksum_of_a_put(self, bucket: Bucket) -> None:
        put(bucket, "a", b"body")
        checksum = bucket.head("a").checksum
        assert checksum is not None
        assert checksum.algorithm == "SHA256"
        assert base64.b64decode(checksum.value) == hashlib.sha256(b"body").digest()

    def test_odd_keys_stay_as_they_are(self, bucket: Bucket) -> None:
        keys = self.odd_keys + (NEWLINES if self.keeps_newlines else ())
        for key in keys:
            put(bucket, key, key.encode())
        assert [found.object.key for found in bucket.list("")] == sorted(keys, key=str.encode)
        for key in keys:
            assert bucket.read(bucket.head(key).object).to_pybytes() == key.encode()

    def test_keys_are_listed_in_order_of_their_utf8_bytes(self, bucket: Bucket) -> None:
        keys = ["b", "a", "a/b", "a b", "B", "a\U0001f1ee", "a\uffee", "ab", "é", "z"]
        for key in keys:
            put(bucket, key, b"")
        listed = [found.object.key for found in bucket.list("")]
        assert listed == sorted(keys, key=str.encode)

    def test_a_listing_stays_inside_its_prefix(self, bucket: Bucket) -> None:
        for key in ("p", "p/1", "p/2", "p+/1", "q/1", "o/1"):
            put(bucket, key, b"x")
        assert [found.object.key for found in bucket.list("p/")] == ["p/1", "p/2"]
        assert [found.object.key for found in bucket.list("p+")] == ["p+/1"]
        assert list(bucket.list("nothing")) == []

    def test_a_listing_is_carried_on_past_a_key(self, bucket: Bucket) -> None:
        for key in ("p/1", "p/2", "p/3 +", "p/4", "q"):
            put(bucket, key, b"x")
        for after, expected in (
            ("p/1", ["p/2", "p/3 +", "p/4"]),
            ("p/3 +", ["p/4"]),
            ("p/11", ["p/2", "p/3 +", "p/4"]),
            ("p/4", []),
            ("a", ["p/1", "p/2", "p/3 +", "p/4"]),
        ):
            assert [found.object.key for found in bucket.list("p/", after)] == expected

    def test_a_listing_tells_sizes_and_what_can_be_read(self, bucket: Bucket) -> None:
        for size in range(5):
            put(bucket, f"k{size}", b"x" * size)
        found = list(bucket.list("k"))
        assert [one.object.size for one in found] == list(range(5))
        assert [bucket.read(one.object).size for one in found] == list(range(5))
        assert all(one.modified_at is not None for one in found)

    @pytest.mark.parametrize("chunk_bytes", [1, 7, 1000, 1 << 20])
    def test_a_stream_is_the_object_in_sequence(self, bucket: Bucket, chunk_bytes: int) -> None:
        body = bytes(range(256)) * 4
        stored = put(bucket, "a", body)
        with bucket.stream(stored, chunk_bytes) as chunks:
            pieces = list(chunks)
        assert b"".join(pieces) == body
        assert all(0 < len(piece) <= chunk_bytes for piece in pieces)

    def test_a_stream_may_be_closed_early(self, bucket: Bucket) -> None:
        stored = put(bucket, "a", b"x" * 3_000_000)
        for _ in range(3):
            with bucket.stream(stored, 1000) as chunks:
                assert next(chunks) == b"x" * 1000
        assert bucket.read(replace(stored, version=None), 0, 1).to_pybytes() == b"x"

    def test_a_store_says_where_it_is(self, bucket: Bucket) -> None:
        assert bucket.observe().endpoint
        assert bucket.site == "dublin-1"

    def test_no_error_holds_a_key(self, bucket: Bucket) -> None:
        secret = "users/ada@example.org"
        stored = put(bucket, secret, b"1")
        gone = ObjectVersion(secret + "?", 1, stored.etag)
        failing: list[Callable[[], object]] = [
            lambda: put(bucket, secret, b"1"),
            lambda: put(bucket, secret + "?", b"1", stored),
            lambda: bucket.head(gone.key),
            lambda: bucket.read(gone),
            lambda: bucket.tags(gone.key),
            lambda: bucket.read(ObjectVersion(secret, 1, "0" * 32)),
        ]
        for call in failing:
            with pytest.raises(RepatriaError) as caught:
                call()
            error = caught.value
            told = "".join(traceback.format_exception(error, chain=True))
            lines = [line for line in told.splitlines() if not line.startswith("    ")]
            assert "ada@" not in "".join(lines) + repr(error) + str(error) + str(error.facts)
            assert error.facts["site"] == "dublin-1"
