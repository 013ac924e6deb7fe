"""The witness of a source hears of what is decoded before it is, and its refusals hold."""

from __future__ import annotations

import pytest

from connectors.memory.bucket import MemoryBucket
from connectors.object_source import ObjectSource
from connectors.wrap.witnessed import Witnessed
from flows.hands.elsewhere import Report
from flows.part import Part
from repatria.attempt import poison
from repatria.dataset import Format
from repatria.errors import Poison
from repatria.names import DatasetName, SiteName
from repatria.ports.records import Nobody
from repatria.slice import Slice, Whole
from repatria.stripe import Tally
from tests.contract.record_samples import JSON_TEXT, SMALL, codecs, dataset
from tests.flows.watchers import Quiet

PEOPLE = dataset(Format.JSONL)


class Remembers:
    """Remembers what it heard, and refuses what it is told to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.heard: list[str] = []
        self.refuses = refuses
        self.passed_over: list[str] = []

    def begins(self, piece: Slice) -> None:
        self.heard.append(f"begins {piece.number}")
        if self.refuses:
            raise poison(piece, 3)

    def ends(self, piece: Slice) -> None:
        self.heard.append(f"ends {piece.number}")


@pytest.fixture
def plain() -> ObjectSource:
    bucket = MemoryBucket(SiteName("us-east"))
    bucket.plant("people/a.jsonl", JSON_TEXT)
    return ObjectSource(bucket, "", codecs(), b"k" * 32)


def slices(source: Witnessed | ObjectSource) -> tuple[Slice, ...]:
    (found,) = source.objects(PEOPLE)
    return source.cut(PEOPLE, found)


def test_a_decoder_is_announced_before_its_first_batch_and_ends_with_it(
    plain: ObjectSource,
) -> None:
    witness = Remembers()
    source = Witnessed(plain, witness, SMALL.slice_bytes)
    (piece,) = slices(source)
    assert witness.heard == [], "what is no larger than a slice is not read to be cut"
    batches = source.batches(PEOPLE, piece, None)
    assert next(batches).read > 0
    assert witness.heard == ["begins 0"]
    batches.close()  # type: ignore[attr-defined]
    assert witness.heard == ["begins 0", "ends 0"]


def test_what_is_cut_is_announced_and_what_is_poison_stays_whole(plain: ObjectSource) -> None:
    witness = Remembers()
    assert slices(Witnessed(plain, witness, 100)) == slices(plain)
    assert witness.heard == ["begins 0", "ends 0"]
    (piece,) = slices(Witnessed(plain, Remembers(refuses=True), 100))
    assert isinstance(piece.cut, Whole)
    assert piece.id == slices(plain)[0].id


def test_poison_is_refused_before_a_byte_is_read(plain: ObjectSource) -> None:
    witness = Remembers(refuses=True)
    with pytest.raises(Poison, match=r"a\.jsonl"):
        list(Witnessed(plain, witness, 100).batches(PEOPLE, slices(plain)[0], None))
    assert witness.heard == ["begins 0"]


def test_a_part_of_many_takes_its_share_of_a_rate_and_announces_if_somebody_listens(
    plain: ObjectSource,
) -> None:
    assert Part(4).share(100.0) == 25.0
    assert Part(4).share(None) is None
    assert Part().told(plain, 100) is plain
    assert isinstance(Part(2, Remembers()).told(plain, 100), Witnessed)
    assert isinstance(Part().witness, Nobody)


class Counts(Quiet):
    """Adds up what it hears."""

    def __init__(self) -> None:
        self.read = self.done = self.earlier = 0
        self.failed: list[str] = []
        self.lines: list[str] = []

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        self.read += read

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        self.done += failed is None
        self.failed += [label] if failed is not None else []

    def passed_over(self, slices: int) -> None:
        self.earlier += slices

    def noticed(self, what: str) -> None:
        self.lines.append(what)


def test_a_report_of_stripes_that_were_run_elsewhere_tells_all_of_it() -> None:
    report, counts = Report(), Counts()
    for _ in range(2):
        report.batch(PEOPLE.name, 10, 4, 100)
        report.slice_done(PEOPLE.name, "a", None)
    report.slice_done(PEOPLE.name, "b", "bad")
    report.noticed("a process was replaced")
    report.tally = Tally(batches=2, read=20, moved=8, bytes_read=200, done=5, failed=1)
    arrived = Report.heard(report.told())
    assert arrived == report
    arrived.tell(counts)
    assert (counts.read, counts.done, counts.earlier) == (20, 2, 3)
    assert (counts.failed, counts.lines) == (["b"], ["a process was replaced"])
