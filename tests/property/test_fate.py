"""Every record has exactly one fate, whatever is true of it; and none comes back from the dead."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from repatria.atlas import ELSEWHERE
from repatria.batch import Reason
from repatria.contest import Standing
from repatria.fate import ERASED, STAYS, SUPERSEDED, Evidence, Released, Sorted, decide
from repatria.names import RegionName
from repatria.residency import Resolver, code_of, decisions
from tests.people import ATLAS, PROFILES, batch_of, profiles

CODES = [0, 1, 2, ELSEWHERE, code_of(Reason.UNKNOWN_COUNTRY), code_of(Reason.NO_USER)]
ROWS = st.lists(
    st.tuples(st.sampled_from(CODES), st.booleans(), st.sampled_from(list(Standing))), max_size=40
)
RELEASES = st.builds(
    Released,
    reasons=st.frozensets(st.sampled_from([Reason.CONFLICT, Reason.ORPHAN])),
    entries=st.dictionaries(
        st.tuples(
            st.sampled_from([Reason.CONFLICT, Reason.ORPHAN]), st.sampled_from([None, *ATLAS.names])
        ),
        st.frozensets(st.integers(0, 39)),
    ),
)


def sorted_of(rows: list[tuple[int, bool, Standing]], released: Released) -> Sorted:
    batch = batch_of(profiles(["IE"] * len(rows)))
    codes = np.array([code for code, _, _ in rows], dtype=np.int32)
    evidence = Evidence(
        erased=np.array([erased for _, erased, _ in rows], dtype=np.bool_),
        standing=np.array([standing for _, _, standing in rows], dtype=np.uint8),
        positions=batch.positions,
        released=released,
    )
    return Sorted(
        batch=batch, atlas=ATLAS, codes=codes, fates=decide(codes, evidence, ATLAS), decisions=""
    )


@given(ROWS, RELEASES)
def test_the_fates_add_up_to_what_was_read(
    rows: list[tuple[int, bool, Standing]], released: Released
) -> None:
    done = sorted_of(rows, released)
    waiting = sum(len(places) for _, _, places in done.waiting())
    assert sum(done.census.values()) + waiting + done.count(ERASED) + done.count(SUPERSEDED) == len(
        rows
    )


@given(ROWS, RELEASES)
def test_an_erased_user_moves_nowhere(
    rows: list[tuple[int, bool, Standing]], released: Released
) -> None:
    done = sorted_of(rows, released)
    erased = np.array([gone for _, gone, _ in rows], dtype=np.bool_)
    assert not (done.fates[erased] >= 0).any()


@given(ROWS, RELEASES)
def test_what_moves_belongs_to_the_region_that_it_moves_to(
    rows: list[tuple[int, bool, Standing]], released: Released
) -> None:
    done = sorted_of(rows, released)
    moving = done.fates >= 0
    assert (done.fates[moving] == done.codes[moving]).all()


@given(ROWS)
def test_a_contested_record_waits_until_somebody_releases_it(
    rows: list[tuple[int, bool, Standing]],
) -> None:
    done = sorted_of(rows, Released())
    for (code, _, standing), fate in zip(rows, done.fates, strict=True):
        if standing in {Standing.CONFLICT, Standing.ORPHAN}:
            assert fate < 0
            assert (fate == STAYS) == (code == ELSEWHERE)


@given(ROWS, st.data())
def test_a_release_by_number_is_about_the_records_that_waited_and_no_others(
    rows: list[tuple[int, bool, Standing]], data: st.DataObject
) -> None:
    first = sorted_of(rows, Released())
    groups: dict[tuple[Reason, RegionName | None], frozenset[int]] = {
        (reason, region): frozenset(first.batch.positions[places].tolist())
        for reason, region, places in first.waiting()
        if reason in {Reason.CONFLICT, Reason.ORPHAN}
    }
    again = sorted_of(rows, Released(entries=groups))
    left = {(reason, region) for reason, region, _ in again.waiting()}
    assert not left & groups.keys(), "all that waited was seen"
    if groups:
        key = data.draw(st.sampled_from(list(groups)))
        unseen = data.draw(st.sampled_from(sorted(groups[key])))
        fewer = sorted_of(rows, Released(entries={**groups, key: groups[key] - {unseen}}))
        waiting = {(why, where): places for why, where, places in fewer.waiting()}
        assert frozenset(fewer.batch.positions[waiting[key]].tolist()) == groups[key]
        assert not waiting.keys() & (groups.keys() - {key}), "the others are released"


@given(st.lists(st.sampled_from(["IE", "DE", "NO", "US", "ZZ", "ie", None]), max_size=60))
def test_the_split_has_each_record_once_and_in_order(countries: list[str | None]) -> None:
    rows = profiles(countries)
    codes = Resolver(dataset=PROFILES, atlas=ATLAS).resolve(rows)
    evidence = Evidence(
        erased=np.zeros(len(codes), dtype=np.bool_),
        standing=np.zeros(len(codes), dtype=np.uint8),
        positions=batch_of(rows).positions,
    )
    done = Sorted(
        batch=batch_of(rows),
        atlas=ATLAS,
        codes=codes,
        fates=decide(codes, evidence, ATLAS),
        decisions=decisions(codes, batch_of(rows).refused, ATLAS),
    )
    tables = done.split(ATLAS.names)
    for region in ATLAS.names:
        users = [f"u{number}" for number, country in enumerate(countries) if country == region]
        table = tables.get(region)
        assert (table.column("user_id").to_pylist() if table is not None else []) == users
