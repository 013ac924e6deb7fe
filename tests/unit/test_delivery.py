"""A put that finds something in its place: whose is it, and may it be replaced?"""

from __future__ import annotations

import pyarrow as pa
import pytest

from connectors.formats.parquet import Parquet
from connectors.memory.bucket import MemoryBucket
from connectors.memory.ledger import MemoryLedger
from connectors.object_target import ObjectTarget
from repatria.dataset import Format
from repatria.delivery import deliver, keep
from repatria.errors import FenceLost, ForeignObject, LeftOver, Transient
from repatria.layout import Layout
from repatria.limits import Limits
from repatria.ports.bucket import ABSENT, Absent
from repatria.ports.records import Arrived, Parcel
from repatria.receipt import BatchName, Line, Receipt
from repatria.stored import ObjectVersion
from tests.contract.ledger_contract import standing
from tests.people import DUBLIN, IE, PROFILES, US, piece, profiles


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket(DUBLIN.name)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def target(bucket: MemoryBucket) -> ObjectTarget:
    return ObjectTarget(bucket, Layout(), {Format.PARQUET: Parquet(Limits())}, "ledger-1")


def parcel_of(people: int, version: str = "v1") -> Parcel:
    return Parcel(
        dataset=PROFILES,
        region=IE.name,
        site=DUBLIN.name,
        piece=piece(version),
        ordinal=0,
        rows=profiles(["IE"] * people),
    )


def commit(
    ledger: MemoryLedger, parcel: Parcel, arrived: Arrived, before: Line | None = None
) -> Line:
    """Commit a parcel; over ``before``, its line counts one replacement more."""
    line = Line(
        region=IE.name,
        site=DUBLIN.name,
        rows=parcel.rows.num_rows,
        object=arrived.object,
        sha256=arrived.sha256,
        digest="c0:1:" + "0" * 32,
        replaced=before.replaced + 1 if before is not None else 0,
    )
    lease = ledger.take("stripe", "me", None)
    assert lease is not None
    receipt = Receipt(
        batch=BatchName(parcel.piece.id, 0, parcel.piece.version),
        dataset=PROFILES.name,
        site=US.name,
        last=True,
        read=line.rows,
        census={IE.name: line.rows},
        erased=0,
        superseded=0,
        waiting=(),
        lines=(line,),
        decisions="a:b",
        bytes_read=1,
    )
    ledger.commit(receipt, lease, [], standing(ledger, receipt.batch))
    ledger.release(lease)
    return line


def rows_at(target: ObjectTarget, arrived: Arrived) -> pa.Table:
    return target.read(PROFILES, arrived.object, arrived.sha256)


def test_what_a_dead_worker_left_behind_gives_way(
    target: ObjectTarget, ledger: MemoryLedger
) -> None:
    target.put(parcel_of(3), ABSENT)
    arrived = deliver(parcel_of(5, "v2"), target, ledger, None)
    assert rows_at(target, arrived).num_rows == 5


def test_a_ghost_cannot_overwrite_what_its_successor_committed(
    target: ObjectTarget, ledger: MemoryLedger, bucket: MemoryBucket
) -> None:
    newer = parcel_of(5, "v2")
    line = commit(ledger, newer, deliver(newer, target, ledger, None))
    with pytest.raises(FenceLost):
        deliver(parcel_of(3), target, ledger, None)
    assert bucket.head(line.object.key).object == line.object


def test_a_ghost_that_knows_an_older_line_cannot_either(
    target: ObjectTarget, ledger: MemoryLedger, bucket: MemoryBucket
) -> None:
    first = commit(ledger, parcel_of(3), deliver(parcel_of(3), target, ledger, None))
    newer = parcel_of(5, "v2")
    line = commit(ledger, newer, deliver(newer, target, ledger, first), first)
    with pytest.raises(FenceLost):
        deliver(parcel_of(4), target, ledger, first)
    assert bucket.head(line.object.key).object == line.object


def test_somebody_elses_object_stays(
    target: ObjectTarget, ledger: MemoryLedger, bucket: MemoryBucket
) -> None:
    bucket.plant(target.key(parcel_of(1)), b"theirs")
    with pytest.raises(ForeignObject):
        deliver(parcel_of(1), target, ledger, None)


def test_records_that_wait_replace_an_older_attempt(target: ObjectTarget) -> None:
    keep(parcel_of(3), target, "waiting")
    assert rows_at(target, keep(parcel_of(4), target, "waiting")).num_rows == 4


def test_a_place_that_keeps_changing_is_given_up_for_now(ledger: MemoryLedger) -> None:
    class Restless:
        site = DUBLIN.name
        tries = 0

        def put(self, parcel: Parcel, replaces: ObjectVersion | Absent) -> Arrived:
            self.tries += 1
            raise LeftOver("again", ObjectVersion("k", 1, str(self.tries)), site=self.site)

    restless = Restless()
    with pytest.raises(Transient):
        deliver(parcel_of(1), restless, ledger, None)  # type: ignore[arg-type]
    assert restless.tries == 3
