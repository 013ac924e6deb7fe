"""A source that hands over other bytes than those whose digest it keeps."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.body_digest import begun
from connectors.formats.jsonl import JsonLines
from connectors.memory.bucket import MemoryBucket
from repatria.dataset import Format
from repatria.errors import Garbled
from repatria.limits import MIB
from repatria.ports.ledger import FailureKind, RunState
from repatria.stored import Checksum, ObjectVersion
from tests.compiled import NOT_RUN
from tests.people import US
from tests.scenario import enclave as scene
from tests.scenario.enclave import LIMITS, Enclave, of_notes

LONG = [(f"i{number:02}", "IE") for number in range(30)]


class Garbling(MemoryBucket):
    """A store whose next answers have ``i01`` where ``i00`` was written; the length is the same.

    It compares no digest when it streams, as an SDK does that was carried on by pieces.
    """

    spoilt = 0

    def stream(
        self, found: ObjectVersion, chunk_bytes: int = 1 << 20
    ) -> AbstractContextManager[Iterator[bytes]]:
        return self._garbled(super().stream(found, 1000))

    def read(self, found: ObjectVersion, start: int = 0, stop: int | None = None) -> pa.Buffer:
        body = super().read(found, start, stop)
        if self.spoilt and body.size == found.size:
            self.spoilt -= 1
            raise Garbled("a body is not the one whose MD5 its ETag is", site=self.site)
        return body

    @contextmanager
    def _garbled(self, whole: AbstractContextManager[Iterator[bytes]]) -> Iterator[Iterator[bytes]]:
        with whole as chunks:
            if not self.spoilt:
                yield chunks
                return
            self.spoilt -= 1
            yield (chunk.replace(b'"i00"', b'"i01"') for chunk in chunks)


@pytest.fixture
def enclave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enclave:
    """A world that does not cut what is three times as long as a decoder reads ahead."""
    limits = replace(LIMITS, slice_bytes=8 * MIB)
    monkeypatch.setattr(scene, "LIMITS", limits)
    monkeypatch.setattr(scene, "CODECS", {Format.JSONL: JsonLines(limits)})
    enclave = of_notes(tmp_path)
    enclave.us = Garbling(US.name, observed=enclave.us._observed)
    enclave.note("a.jsonl", *LONG, padding=100_000)
    enclave.note("b.jsonl", ("j", "IE"))
    return enclave


def names(arrived: Any) -> list[str]:
    return sorted(name for _, _, name in arrived.elements())


def test_what_was_moved_from_a_garbled_stream_is_read_again(enclave: Enclave) -> None:
    plan = enclave.plan()
    assert isinstance(enclave.us, Garbling)
    enclave.us.spoilt = 1
    ending = enclave.migrate(plan)
    assert ending.state is RunState.INCOMPLETE
    assert [failure.kind for failure in ending.failures] == [FailureKind.BAD]
    first = names(enclave.arrived())
    assert first.count("i01") == 2, "several batches went before the end"
    assert "i00" not in first
    assert "j" in names(enclave.trusted()), "the neighbour is unharmed"
    ending = enclave.migrate(plan)
    assert ending.state is RunState.COMPLETE
    assert names(enclave.trusted()) == sorted([*(note for note, _ in LONG), "j"])
    assert enclave.trusted() == enclave.arrived()


def test_of_a_garbled_body_that_is_held_nothing_is_moved(
    enclave: Enclave, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_of = Enclave.source

    def holding(self: Enclave, bucket: MemoryBucket) -> Any:
        source = source_of(self, bucket)
        source._whole_bytes = 8 * MIB
        return source

    monkeypatch.setattr(Enclave, "source", holding)
    plan = enclave.plan()
    assert isinstance(enclave.us, Garbling)
    enclave.us.spoilt = 1
    ending = enclave.migrate(plan)
    assert ending.state is RunState.INCOMPLETE
    assert names(enclave.arrived()) == ["j"]
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert len(names(enclave.trusted())) == len(LONG) + 1


def test_a_stream_whose_etag_is_no_md5_is_not_compared_with_it(enclave: Enclave) -> None:
    body = bytes(enclave.us.read(enclave.us.head("notes/b.jsonl").object))
    enclave.us.plant("notes/b.jsonl", body, etag="0123456789abcdef0123456789abcdef-2")
    enclave.us.plant("notes/c.jsonl", body.replace(b'"j"', b'"k"'), etag="opaque")
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert {"j", "k"} <= set(names(enclave.trusted()))


def test_a_garbled_stream_is_told_by_the_crc_that_s3_makes_alone(enclave: Enclave) -> None:
    body = bytes(enclave.us.read(enclave.us.head("notes/a.jsonl").object))
    crc = begun("CRC64NVME")
    if crc is None:
        pytest.skip(NOT_RUN)
    crc.update(body)
    kept = Checksum("CRC64NVME", base64.b64encode(crc.digest()).decode())
    enclave.us.plant("notes/a.jsonl", body, etag=f"{'0' * 32}-2", checksum=kept)
    plan = enclave.plan()
    assert isinstance(enclave.us, Garbling)
    enclave.us.spoilt = 1
    assert [told.kind for told in enclave.migrate(plan).failures] == [FailureKind.BAD]
    assert enclave.migrate(plan).state is RunState.COMPLETE
    assert names(enclave.trusted()) == sorted([*(note for note, _ in LONG), "j"])


class Starving(JsonLines):
    """A codec that runs out of memory, or of stack, at objects whose names say so."""

    def batches(self, dataset: Any, piece: Any, access: Any, after: Any) -> Iterator[Any]:
        if "memory" in piece.label:
            raise MemoryError
        if "deep" in piece.label:
            raise RecursionError
        yield from super().batches(dataset, piece, access, after)


def test_an_object_that_its_decoder_cannot_hold_is_set_aside_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enclave = of_notes(tmp_path)
    monkeypatch.setattr(scene, "CODECS", {Format.JSONL: Starving(LIMITS)})
    for name in ("deep.jsonl", "memory.jsonl", "well.jsonl"):
        enclave.note(name, (f"i{name}", "IE"))
    ending = enclave.migrate(enclave.plan())
    assert [told.kind for told in ending.failures] == [FailureKind.BAD, FailureKind.BAD]
    assert enclave.tally.done == 1
