"""The law of the layout: two parcels never share a key."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from repatria.layout import Layout, reserved
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.slice import Slice
from repatria.stored import ObjectVersion

SITES = ("us-east", "singapore")
REGIONS = ("IE", "I")
BITS = (
    *("a", "/", "_repatria/", "singapore/", "long/", "manifest", "quarantine/", "region=IE/"),
    *("~part-", "00000", "00001", "-", ".parquet", ".csv", ".gz", ".", "é"),
)
RELATIVE = st.lists(st.sampled_from(BITS), max_size=7).map("".join) | st.text(max_size=8)
PARCEL = st.tuples(
    RELATIVE,
    st.sampled_from(SITES),
    st.sampled_from(("profiles", "p")),
    st.sampled_from(REGIONS),
    st.integers(0, 2),
    st.integers(0, 2) | st.just(100_001),
)
LAYOUTS = st.builds(
    Layout,
    root=st.sampled_from(("", "eu/")),
    backup=st.just(SiteName("singapore")),
    key_bytes=st.sampled_from((1024, 150)),
)


def key(layout: Layout, parcel: tuple[str, str, str, str, int, int]) -> str:
    relative, site, dataset, region, number, ordinal = parcel
    piece = Slice(
        id=SliceId("0" * 32),
        dataset=DatasetName(dataset),
        site=SiteName(site),
        object=ObjectVersion("x", 1, "etag"),
        relative=relative,
        label="an object",
        number=number,
    )
    return layout.parcel(RegionName(region), piece, ordinal)


@given(LAYOUTS, st.lists(PARCEL, min_size=2, max_size=6, unique=True))
def test_two_parcels_never_share_a_key(
    layout: Layout, parcels: list[tuple[str, str, str, str, int, int]]
) -> None:
    legal = [parcel for parcel in parcels if reserved(parcel[0]) is None]
    keys = [key(layout, parcel) for parcel in legal]
    assert len(set(keys)) == len(keys)


@given(LAYOUTS, PARCEL, st.text(max_size=5))
def test_no_parcel_stands_where_we_keep_our_own(
    layout: Layout, parcel: tuple[str, str, str, str, int, int], name: str
) -> None:
    assume(reserved(parcel[0]) is None)
    dataset, region = DatasetName(parcel[2]), RegionName(parcel[3])
    ours = {layout.manifest(dataset, region), layout.quarantine(dataset, region, name)}
    assert key(layout, parcel) not in ours


@given(LAYOUTS, PARCEL)
def test_a_key_is_never_longer_than_a_store_takes(
    layout: Layout, parcel: tuple[str, str, str, str, int, int]
) -> None:
    assume(reserved(parcel[0]) is None)
    assert len(key(layout, parcel).encode()) <= layout.key_bytes


@given(RELATIVE, RELATIVE, st.integers(0, 1), st.integers(0, 3))
def test_a_part_of_one_object_is_never_the_name_of_another(
    one: str, other: str, number: int, ordinal: int
) -> None:
    assume(reserved(one) is None and reserved(other) is None)
    layout = Layout()
    part = key(layout, (one, "us-east", "p", "IE", number, ordinal))
    whole = key(layout, (other, "us-east", "p", "IE", 0, 0))
    assert part != whole or (one == other and (number, ordinal) == (0, 0))
