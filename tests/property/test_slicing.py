"""However an object is cut and batched, the same records come, each once, at the same places."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.codec import Codec
from connectors.formats.jsonl import JsonLines
from connectors.memory.bucket import MemoryBucket
from connectors.object_source import ObjectSource
from repatria.batch import LINE, Batch
from repatria.dataset import Format
from repatria.limits import Limits
from repatria.slice import Slice
from tests.people import US
from tests.scenario.enclave import KEY, NOTES

json_lines = st.one_of(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["IE", "US", ""]), st.integers(0, 90)).map(
        lambda drawn: (
            f'{{"note_id":"{drawn[0]}","user_id":"u{drawn[0]}","country":"{drawn[1]}",'
            f'"text":"{"é" * drawn[2]}"}}'.encode()
        )
    ),
    st.sampled_from([b"", b"   ", b"not json", b"\xff", b"[1]", b'{"note_id":1}']),
)
ends = st.sampled_from([b"\n", b"\r\n"])
limits = st.builds(
    Limits,
    slice_bytes=st.integers(40, 900),
    batch_bytes=st.integers(40, 900),
)


def read(body: bytes, key: str, within: Limits) -> list[list[Batch]]:
    """Return the batches of each slice of one object."""
    bucket = MemoryBucket(US.name)
    bucket.plant(key, body)
    codecs: dict[Format, Codec] = {Format.JSONL: JsonLines(within)}
    source = ObjectSource(bucket, "", codecs, KEY, whole_bytes=0)
    (found,) = source.objects(NOTES)
    pieces = source.cut(NOTES, source.look(found.object))
    numbered(pieces)
    return [list(source.batches(NOTES, piece, None)) for piece in pieces]


def numbered(pieces: Sequence[Slice]) -> None:
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert len({piece.id for piece in pieces}) == len(pieces)


def records(read_: list[list[Batch]]) -> list[bytes]:
    tables = [batch.rows for batches in read_ for batch in batches]
    return [bytes(line) for rows in tables for line in rows.column(LINE).to_pylist() if line]


def refusals(read_: list[list[Batch]]) -> Counter[tuple[int, str]]:
    return Counter(
        (int(place), reason.value)
        for batches in read_
        for batch in batches
        for place, reason in zip(batch.refused.positions, batch.refused.reasons, strict=True)
    )


def positions(read_: list[list[Batch]]) -> list[int]:
    return [int(at) for batches in read_ for batch in batches for at in batch.positions]


def in_order(read_: list[list[Batch]]) -> None:
    """Check that batches are numbered from 0 and that the last one of a slice says so."""
    for batches in read_:
        assert [batch.ordinal for batch in batches] == list(range(len(batches)))
        assert [batch.last for batch in batches] == [False] * (len(batches) - 1) + [True]
    places = positions(read_)
    assert all(one < other for one, other in pairwise(places)), "each record once, in order"


WIDE = Limits()


def same(body: bytes, key: str, within: Limits) -> list[list[Batch]]:
    cut, whole = read(body, key, within), read(body, key, WIDE)
    in_order(cut)
    assert records(cut) == records(whole)
    assert positions(cut) == positions(whole)
    assert refusals(cut) == refusals(whole)
    assert sum(b.read for s in cut for b in s) == sum(b.read for s in whole for b in s)
    return cut


@given(st.lists(json_lines, max_size=40), ends, st.booleans(), limits)
def test_byte_ranges_of_json_lines_give_the_records_of_the_whole(
    lines: list[bytes], end: bytes, ended: bool, within: Limits
) -> None:
    body = end.join(lines) + (end if ended else b"")
    cut = same(body, "notes/a.jsonl", within)
    if len(body) > 2 * within.slice_bytes:
        assert len(cut) > 1, "it was cut at all"


@given(st.lists(json_lines, max_size=40), ends, limits)
def test_batches_of_gzipped_json_lines_give_the_records_of_the_whole(
    lines: list[bytes], end: bytes, within: Limits
) -> None:
    body = gzip.compress(end.join(lines), mtime=0)
    cut = same(body, "notes/a.jsonl.gz", within)
    assert len(cut) == 1, "what cannot be cut is read in sequence"


@given(st.lists(json_lines, min_size=1, max_size=40), limits, st.integers(0, 5))
def test_what_is_carried_on_is_what_was_left(
    lines: list[bytes], within: Limits, after: int
) -> None:
    """A restart past an ordinal gives the batches that a reading from the start gives."""
    bucket = MemoryBucket(US.name)
    bucket.plant("notes/a.jsonl.gz", gzip.compress(b"\n".join(lines), mtime=0))
    source = ObjectSource(bucket, "", {Format.JSONL: JsonLines(within)}, KEY, whole_bytes=0)
    (found,) = source.objects(NOTES)
    (piece,) = source.cut(NOTES, found)
    whole = list(source.batches(NOTES, piece, None))
    left = list(source.batches(NOTES, piece, after))
    assert [batch.ordinal for batch in left] == [b.ordinal for b in whole if b.ordinal > after]
    for one, other in zip(left, whole[after + 1 :], strict=True):
        assert one.rows.equals(other.rows)
        assert replace(one, rows=other.rows).last == other.last
