"""What is packed is unpacked, whatever it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.sql import positions, stripes
from repatria.names import DatasetName, SiteName, SliceId
from repatria.plan import Stripe
from repatria.slice import ByteRange, RowGroups, Slice, Whole
from repatria.stored import ObjectVersion

_numbers = st.integers(0, 2**64 - 1)
_text = st.text(max_size=12)
_cuts = st.one_of(
    st.builds(Whole),
    st.builds(RowGroups, st.integers(0, 9), st.integers(10, 99)),
    st.builds(ByteRange, st.integers(0, 2**50), st.integers(2**50, 2**60)),
)


@st.composite
def _slices(draw: st.DrawFn) -> Slice:
    relative, prefix = draw(_text), draw(_text)
    key = draw(st.sampled_from([prefix + relative, prefix]))
    name = SliceId(draw(_text))
    return Slice(
        id=name,
        dataset=DatasetName(draw(_text)),
        site=SiteName(draw(_text)),
        object=ObjectVersion(key, draw(st.integers(0)), draw(_text), draw(st.none() | _text)),
        relative=relative,
        label=draw(st.sampled_from([relative, key, name, prefix])),
        cut=draw(_cuts),
        number=draw(st.integers(0, 999)),
    )


@given(st.lists(_numbers, max_size=60) | st.lists(_numbers, max_size=60).map(sorted))
def test_positions_survive_in_any_order(places: list[int]) -> None:
    assert positions.unpack(positions.pack(places)) == tuple(places)


def test_rising_positions_cost_about_a_byte_each() -> None:
    assert len(positions.pack(range(0, 1_000_000, 97))) < 200
    assert len(positions.pack([n * n % 97 + 100 * n for n in range(10_000)])) < 20_000


@given(st.lists(_slices(), max_size=6))
def test_stripes_survive(slices: list[Slice]) -> None:
    stripe = Stripe(number=4, dataset=DatasetName("posts"), slices=tuple(slices))
    assert stripes.unpack(4, "posts", stripes.pack(stripe)) == stripe
