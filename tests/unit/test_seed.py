"""The synthetic world is what it says it is: repeatable, odd as life is, well counted."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.world import people
from flows.world.people import People
from flows.world.seed import USERS_MIN, TooFewPeople, lay
from flows.world.tally import Laid, Seeded
from repatria.batch import Reason
from repatria.countries import COUNTRIES, READY_MADE
from repatria.names import DatasetName
from tests.unit.world_oracle import Oracle

USERS = 3_000


@cache
def world(users: int = USERS, seed: int = 1) -> tuple[dict[str, Laid], Seeded]:
    objects, tallies = lay(users, seed)
    laid = {it.key: it for it in objects}
    expected = {name: tally.expected() for name, tally in tallies.items()}
    return laid, Seeded(users=users, seed=seed, datasets=expected)


@pytest.mark.parametrize("dataset", ["profiles", "posts", "logins"])
@pytest.mark.parametrize("users", [USERS_MIN, USERS])
def test_the_makers_count_what_a_second_opinion_counts(dataset: str, users: int) -> None:
    objects, seeded = world(users)
    expected = seeded.datasets[DatasetName(dataset)]
    found = Oracle(list(objects.values())).account(dataset)

    assert found.read == expected.read
    assert found.stayed == expected.stayed
    assert found.superseded == expected.superseded
    assert dict(found.moved) == expected.moved
    assert dict(found.waiting) == expected.quarantined
    assert tuple(found.failed) == expected.failed
    assert expected.balanced


def test_whatever_is_planted_is_there() -> None:
    accounts = world()[1].datasets
    reasons = {reason for account in accounts.values() for reason in account.quarantined}
    assert reasons == {
        Reason.MALFORMED,
        Reason.ENCODING,
        Reason.WRONG_COLUMNS,
        Reason.UNKNOWN_COUNTRY,
        Reason.UNKNOWN_USER,
        Reason.CONFLICT,
        Reason.ORPHAN,
    }
    assert all(Reason.ORPHAN in account.quarantined for account in accounts.values())
    assert all(account.superseded for account in accounts.values())
    assert accounts[DatasetName("profiles")].failed == ("2023/broken.parquet",)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    again = {laid.key: laid for laid in lay(USERS, 1)[0]}
    assert again == world()[0]
    other = world(seed=2)[0]
    assert other.keys() == again.keys()
    assert other["logins/part-00000.csv"] != again["logins/part-00000.csv"]


def test_the_backup_is_a_little_behind_and_knows_what_the_primary_lost() -> None:
    objects = world()[0].values()
    assert any(laid.primary is None for laid in objects)
    assert any(laid.backup is None for laid in objects)
    same = sum(laid.primary == laid.backup for laid in objects)
    assert len(objects) // 2 < same < len(objects)


def test_profiles_have_several_row_groups_and_newer_ones_a_column_more() -> None:
    objects = world()[0]
    old = pq.ParquetFile(io.BytesIO(objects["profiles/2023/part-00000.parquet"].primary or b""))
    new = pq.ParquetFile(io.BytesIO(objects["profiles/2026/part-00005.parquet"].primary or b""))
    assert old.num_row_groups > 1
    assert [*old.schema_arrow.names, "pronouns"] == new.schema_arrow.names


def test_profiles_hold_what_a_careless_reader_would_change() -> None:
    body = world()[0]["profiles/2023/part-00000.parquet"].primary
    rows = pq.read_table(io.BytesIO(body or b""))
    assert pa.types.is_dictionary(rows.schema.field("locale").type)
    assert pa.types.is_decimal(rows.schema.field("balance").type)
    assert rows.schema.field("created_at").type == pa.timestamp("us", "UTC")
    assert rows["address"].null_count
    assert rows["marketing"].null_count
    assert np.isnan(rows["score"].to_numpy()).any()


def test_keys_are_as_odd_as_the_law_allows() -> None:
    keys = "".join(world()[0])
    assert all(odd in keys for odd in (" ", "+", "%2F", "../", "//", "東京", "☃"))


def test_people_come_from_forty_countries_and_a_third_of_them_is_european() -> None:
    assert len(people.COUNTRIES) == len(set(people.COUNTRIES) & COUNTRIES) == 40
    ready_made = {country for name in READY_MADE for country in READY_MADE[name]}
    assert set(people.EUROPEAN) <= ready_made
    assert not set(people.ELSEWHERE) & ready_made
    countries = People(100_000, 7).countries(np.arange(100_000))
    assert set(countries.tolist()) == set(range(40))
    assert 0.33 < people.european(countries).mean() < 0.37


def test_no_two_people_share_an_id_and_neighbours_are_strangers() -> None:
    ids = [str(it) for it in People(100_000, 7).ids(np.arange(100_000)).to_pylist()]
    assert len(set(ids)) == 100_000
    assert all(len(it) == 10 and it.startswith("u-") for it in ids)
    assert ids != sorted(ids)


def test_digits_are_padded_and_texts_are_joined_in_columns() -> None:
    assert people.prefixed("n", people.digits(np.array([7, 42]), 3)).to_pylist() == ["n007", "n042"]
    glued = people.joined(pa.array(["a", "b"]), "-", pa.array(["ø", ""]))
    assert glued.to_pylist() == ["a-ø", "b-"]
    assert people.body(glued.slice(1)) == b"b-"
    assert people.body(glued.slice(0, 1)) == "a-ø".encode()
    assert people.rfc3339(np.array([0])).to_pylist() == ["1970-01-01T00:00:00Z"]


def test_what_must_come_of_it_survives_being_written_down() -> None:
    seeded = world()[1]
    assert Seeded.from_json(seeded.to_json()) == seeded


def test_too_few_people_are_refused_with_a_number_that_works() -> None:
    with pytest.raises(TooFewPeople) as refused:
        lay(USERS_MIN - 1)
    assert f"{USERS_MIN:,}" in refused.value.hint
