"""Packed streams: whole, or refused; never short."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pytest

from connectors.formats.packing import Packing, compression_of, packed, packing_of, unpacked
from repatria.dataset import Compression, Format
from repatria.errors import BadObject, Transient
from repatria.limits import MIB, Limits
from tests.unit.text_objects import dataset, piece

BODY = b"".join(b"%d is a number\n" % n for n in range(40_000))
PACKINGS = [Compression.GZIP, Compression.ZSTD]
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"


def unpack(
    stream: bytes, compression: Compression, step: int = 1_000, most: int = 1 << 40
) -> bytes:
    chunks = (stream[start : start + step] for start in range(0, len(stream), step))
    return b"".join(map(bytes, unpacked(chunks, Packing(compression, "users/a", most))))


def pack(body: bytes, compression: Compression) -> bytes:
    return packed([body], compression).to_pybytes()


@pytest.mark.parametrize("step", [1, 999, 1 << 30])
@pytest.mark.parametrize("compression", PACKINGS)
def test_what_was_packed_comes_back(compression: Compression, step: int) -> None:
    body = BODY[:5_000] if step == 1 else BODY
    assert unpack(pack(body, compression), compression, step) == body


@pytest.mark.parametrize("compression", PACKINGS)
def test_equal_parts_pack_to_equal_bytes_however_they_are_parted(compression: Compression) -> None:
    apart = packed([BODY[:10], pa.py_buffer(BODY[10:])], compression)
    assert apart.to_pybytes() == pack(BODY, compression) == pack(BODY, compression)


def test_gzip_carries_no_time() -> None:
    assert pack(BODY, Compression.GZIP)[4:8] == bytes(4)


@pytest.mark.parametrize("compression", PACKINGS)
def test_an_empty_body_packs_to_a_stream_and_back(compression: Compression) -> None:
    assert pack(b"", compression)
    assert unpack(pack(b"", compression), compression) == b""


@pytest.mark.parametrize("compression", PACKINGS)
def test_streams_one_after_the_other_are_one(compression: Compression) -> None:
    stream = b"".join(pack(part, compression) for part in (BODY, b"", b"x" * 100, BODY))
    assert unpack(stream, compression, 700) == BODY + b"x" * 100 + BODY


def test_many_short_members_are_one_stream() -> None:
    members = [gzip.compress(b"%d\n" % n) for n in range(3_000)]
    assert unpack(b"".join(members), Compression.GZIP, 1 << 20).count(b"\n") == 3_000


def test_zeros_after_a_gzip_member_are_padding() -> None:
    one = pack(BODY, Compression.GZIP)
    assert unpack(one + bytes(512) + one + bytes(7), Compression.GZIP) == BODY + BODY


def test_a_skippable_zstd_frame_is_skipped() -> None:
    one = pack(BODY, Compression.ZSTD)
    assert unpack(SKIPPABLE + one + SKIPPABLE, Compression.ZSTD) == BODY


@pytest.mark.parametrize("left", [0, 1, 3, 0.5, -9, -8, -4, -1])
@pytest.mark.parametrize("compression", PACKINGS)
def test_a_truncated_stream_is_refused(compression: Compression, left: float) -> None:
    stream = pack(BODY, compression)
    kept = stream[: int(len(stream) * left)] if left == 0.5 else stream[: int(left)]
    with pytest.raises(BadObject, match="users/a"):
        unpack(kept, compression)


@pytest.mark.parametrize("compression", PACKINGS)
def test_a_second_stream_may_not_be_truncated_either(compression: Compression) -> None:
    stream = pack(BODY, compression)
    with pytest.raises(BadObject):
        unpack(stream + stream[:-5], compression)


@pytest.mark.parametrize("tail", [b"x", b"garbage after the end", b"\n", b"\x1f\x8b"])
@pytest.mark.parametrize("compression", PACKINGS)
def test_anything_after_the_end_is_refused(compression: Compression, tail: bytes) -> None:
    with pytest.raises(BadObject):
        unpack(pack(BODY, compression) + tail, compression)


def test_a_wrong_checksum_is_refused() -> None:
    stream = bytearray(pack(BODY, Compression.GZIP))
    stream[-6] ^= 1
    with pytest.raises(BadObject) as caught:
        unpack(bytes(stream), Compression.GZIP)
    assert isinstance(caught.value.__cause__, zlib.error)


def test_a_changed_byte_in_the_middle_of_gzip_is_refused() -> None:
    stream = bytearray(pack(BODY, Compression.GZIP))
    stream[len(stream) // 2] ^= 0xFF
    with pytest.raises(BadObject):
        unpack(bytes(stream), Compression.GZIP)


@pytest.mark.parametrize("compression", PACKINGS)
def test_a_bomb_is_refused_long_before_it_is_unpacked(compression: Compression) -> None:
    bomb = pack(bytes(64 * MIB), compression)
    chunks = unpacked([bomb], Packing(compression, "users/a", 2 * MIB))
    assert len(next(chunks)) + len(next(chunks)) <= 2 * MIB
    with pytest.raises(BadObject, match="decoded_ratio"):
        next(chunks)


def test_the_ratio_counts_only_beyond_what_any_object_may_decode_to() -> None:
    of, limits = dataset(Format.JSONL), Limits(decoded_ratio=10)
    assert packing_of(of, piece(b""), 1, limits).decoded_bytes_max == 64 * MIB
    assert packing_of(of, piece(b""), 20 * MIB, limits).decoded_bytes_max == 200 * MIB


def test_a_plain_stream_passes_as_it_is() -> None:
    assert unpack(BODY, Compression.NONE, most=1) == BODY
    assert unpack(b"", Compression.NONE) == b""


@pytest.mark.parametrize("compression", list(Compression))
def test_an_error_of_the_store_comes_through_unchanged(compression: Compression) -> None:
    def broken() -> Iterator[bytes]:
        yield pack(BODY, Compression.ZSTD if compression is Compression.ZSTD else Compression.GZIP)[
            :9
        ]
        raise Transient("the store was away")

    with pytest.raises(Transient, match="the store was away"):
        list(unpacked(broken(), Packing(compression, "users/a", 1 << 40)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jsonl", Compression.NONE),
        ("a.jsonl.gz", Compression.GZIP),
        ("A.JSONL.GZ", Compression.GZIP),
        ("a.gzip", Compression.GZIP),
        ("a.csv.zst", Compression.ZSTD),
        ("a.zstd", Compression.ZSTD),
        ("gz", Compression.NONE),
        ("a.gz/b", Compression.NONE),
    ],
)
def test_the_ending_of_a_name_tells_the_packing(name: str, expected: Compression) -> None:
    assert compression_of(dataset(Format.JSONL), name) is expected


def test_a_declared_packing_goes_before_the_ending() -> None:
    of = dataset(Format.JSONL, compression=Compression.ZSTD)
    assert compression_of(of, "a.gz") is Compression.ZSTD
