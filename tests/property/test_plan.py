"""Plans: equal inputs give an equal digest, and whatever decides what is read changes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.memory.bucket import MemoryBucket
from connectors.memory.ledger import MemoryLedger
from connectors.memory.rules import MemoryClock
from connectors.object_source import ObjectSource
from connectors.spool import MemorySpool
from repatria.dataset import BackupPolicy
from repatria.inventory import Sources
from repatria.limits import Limits
from repatria.names import DatasetName, RegionName, SliceId
from repatria.plan import Plan
from repatria.planner import Planner, Workshop
from repatria.planning import Digesting, Frame, stripes
from repatria.slice import ByteRange, Cut, RowGroups, Slice, Whole
from repatria.slice_text import chunks, pack, unpack
from repatria.stored import ObjectVersion
from tests.people import PROFILES, SINGAPORE, T0, US
from tests.scenario.enclave import CODECS, KEY, NOTES
from tests.scenario.written import notes_of

FRAME = Frame(
    config_digest="c",
    datasets=(PROFILES.name,),
    regions=(RegionName("IE"),),
    directories={},
    reconciled={},
)
numbers = st.integers(0, 2**40)
cuts: st.SearchStrategy[Cut] = st.one_of(
    st.just(Whole()),
    st.builds(RowGroups, numbers, numbers),
    st.builds(ByteRange, numbers, numbers),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
objects = st.builds(ObjectVersion, texts, numbers, texts, st.none() | texts)
slices = st.builds(
    Slice,
    id=st.integers(0, 2**128 - 1).map(lambda n: SliceId(f"{n:032x}")),
    dataset=st.just(PROFILES.name),
    site=st.sampled_from([US.name, SINGAPORE.name]),
    object=objects,
    relative=texts,
    label=texts,
    cut=cuts,
    number=numbers,
)
limits = st.builds(Limits, stripe_bytes=st.integers(1, 2**41), stripe_slices=st.integers(1, 6))


def digest_of(pieces: Sequence[Slice], frame: Frame = FRAME, within: Limits | None = None) -> str:
    passed = Digesting(frame.header)
    list(passed.through(stripes(pieces, within or Limits(), 0)))
    return passed.digest


@given(st.lists(slices, max_size=12))
def test_slices_come_back_as_they_were_written(pieces: list[Slice]) -> None:
    assert list(unpack(pack(pieces))) == pieces
    assert [piece for chunk in chunks(pieces) for piece in unpack(chunk)] == pieces


@given(st.lists(slices, max_size=12), limits)
def test_stripes_hold_every_slice_once_in_order_and_of_one_site(
    pieces: list[Slice], within: Limits
) -> None:
    found = list(stripes(pieces, within, 7))
    assert [stripe.number for stripe in found] == list(range(7, 7 + len(found)))
    for site in (US.name, SINGAPORE.name):
        mine = [piece for stripe in found for piece in stripe.slices if piece.site == site]
        assert mine == [piece for piece in pieces if piece.site == site]
    for stripe in found:
        assert len({piece.site for piece in stripe.slices}) == 1
        assert 1 <= len(stripe.slices) <= within.stripe_slices
        assert sum(piece.bytes for piece in stripe.slices[:-1]) < within.stripe_bytes


@given(st.lists(slices, min_size=1, max_size=6), st.data())
def test_whatever_decides_what_is_read_is_in_the_digest(
    pieces: list[Slice], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(pieces) - 1))
    old = pieces[place]
    held = old.object
    changed = data.draw(
        st.sampled_from(
            [
                replace(old, object=replace(held, etag=f"{held.token}x", version=None)),
                replace(old, object=replace(held, version=f"{held.token}x")),
                replace(old, object=replace(held, size=held.size + 1)),
                replace(old, cut=ByteRange(1, 2**41)),
                replace(old, number=old.number + 1),
                replace(old, id=SliceId(f"{int(old.id, 16) ^ 1:032x}")),
            ]
        )
    )
    other = [*pieces[:place], changed, *pieces[place + 1 :]]
    within = Limits(stripe_slices=1)
    assert digest_of(pieces, within=within) == digest_of(list(pieces), within=within)
    if changed != old:
        assert digest_of(other, within=within) != digest_of(pieces, within=within)


def test_what_a_plan_is_made_for_is_in_the_digest() -> None:
    frames = [
        FRAME,
        replace(FRAME, config_digest="d"),
        replace(FRAME, datasets=(PROFILES.name, DatasetName("posts"))),
        replace(FRAME, regions=(RegionName("IE"), RegionName("DE"))),
        replace(FRAME, directories={PROFILES.name: "1"}),
        replace(FRAME, directories={PROFILES.name: "2"}),
        replace(FRAME, reconciled={PROFILES.name: "1"}),
    ]
    assert len({digest_of([], frame) for frame in frames}) == len(frames)


def test_when_a_plan_was_made_is_not_in_the_digest() -> None:
    passed = Digesting(FRAME.header)
    plans = [FRAME.plan(passed, T0 + timedelta(days=day), 24) for day in (0, 9)]
    assert len({plan.digest for plan in plans}) == 1
    assert plans[1].expires_at - plans[1].made_at == timedelta(hours=24)


def planned(
    names: Sequence[str], page_keys: int = 1000, regions: Sequence[str] = ("DE", "IE")
) -> tuple[Plan, MemoryLedger]:
    """Plan the move of some notes, which came to their bucket in that order."""
    buckets = [MemoryBucket(site, page_keys=page_keys) for site in (US.name, SINGAPORE.name)]
    for bucket in buckets:
        for name in names:
            bucket.plant(f"notes/{name}.jsonl", notes_of([(name, "IE")]))
    primary, backup = (ObjectSource(bucket, "", CODECS, KEY) for bucket in buckets)
    ledger = MemoryLedger()
    planner = Planner(
        datasets={NOTES.name: replace(NOTES, backup=BackupPolicy.RECONCILE)},
        sources=Sources(primary=primary, backup=backup),
        plans=ledger,
        limits=Limits(stripe_slices=2),
        clock=MemoryClock(),
        workshop=Workshop(
            directory=lambda _dataset, _pieces, _verdicts: "",
            reconcile=lambda _dataset, _pieces: "",
            estimate=lambda _samples, _frame: {},
            spool=MemorySpool,
        ),
    )
    return planner.plan([NOTES.name], [RegionName(r) for r in regions], ("config", "{}")), ledger


@given(st.permutations(["a", "b", "B", "é", "z z", "~"]), st.integers(1, 7), st.booleans())
def test_the_order_in_which_objects_and_pages_came_does_not_matter(
    names: list[str], page_keys: int, other_way: bool
) -> None:
    regions = ("IE", "DE") if other_way else ("DE", "IE")
    found, ledger = planned(names, page_keys, regions)
    first, first_ledger = planned(sorted(names))
    assert found == first
    assert list(ledger.stripes(found.digest)) == list(first_ledger.stripes(first.digest))
    assert found.slice_count == len(names), "the backup only repeats the primary"


def test_one_object_more_or_less_is_another_plan() -> None:
    some: list[list[str]] = [[], ["a"], ["b"], ["a", "b"]]
    assert len({planned(names)[0].digest for names in some}) == len(some)
