"""What every ``Source`` must do. A connector inherits this and adds fixtures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from connectors.object_source import ObjectSource
from repatria.batch import Batch
from repatria.dataset import Dataset, Format, KeyClass
from repatria.errors import BadObject, Missing, StaleSlice
from repatria.limits import Limits
from repatria.ports.bucket import Bucket
from repatria.ports.records import Source
from repatria.slice import Slice
from tests.contract.bucket_contract import ODD_KEYS
from tests.contract.record_samples import (
    SMALL,
    TEXTS,
    Planted,
    Plants,
    codecs,
    dataset,
    lines,
)
from tests.unit.parquet_samples import every_type, parquet, people, same

PEOPLE = dataset(Format.PARQUET)
POSTS = dataset(Format.JSONL)
Opens = Callable[[Limits], Source]


def slices(source: Source, of: Dataset) -> list[Slice]:
    return [piece for found in source.objects(of) for piece in source.cut(of, found)]


def batches(source: Source, of: Dataset, after: int | None = None) -> list[Batch]:
    return [b for piece in slices(source, of) for b in source.batches(of, piece, after)]


class SourceContract(ABC):
    odd_keys: ClassVar[tuple[str, ...]] = ODD_KEYS

    @pytest.fixture
    @abstractmethod
    def plant(self) -> Plants:
        """Return what writes an object as an application does: key and bytes."""

    @pytest.fixture
    @abstractmethod
    def opens(self) -> Opens:
        """Return what opens the source under given limits."""

    @pytest.fixture
    def source(self, opens: Opens) -> Source:
        return opens(SMALL)

    def test_objects_come_in_order_and_no_others(self, source: Source, plant: Plants) -> None:
        for key in ("people/b", "people/a/c", "people-old/x", "people", "other/y"):
            plant(key, b"x")
        found = [source.relative(PEOPLE, one.object) for one in source.objects(PEOPLE)]
        assert found == ["a/c", "b"]

    def test_what_only_stands_for_a_folder_is_no_object(
        self, source: Source, plant: Plants
    ) -> None:
        plant("people/", b"")
        plant("people/sub/", b"")
        plant("people/full/", b"x")
        plant("people/empty", b"")
        found = [source.relative(PEOPLE, one.object) for one in source.objects(PEOPLE)]
        assert found == ["empty", "full/"]

    def test_an_odd_key_is_read_as_any_other(self, source: Source, plant: Plants) -> None:
        keys = [key for key in self.odd_keys if len(key) < 500]
        for at, key in enumerate(keys):
            plant(f"people/{key}", parquet(people(1, at)))
        found = {b.piece.relative: b.rows["user"][0].as_py() for b in batches(source, PEOPLE)}
        assert found == {key: str(at) for at, key in enumerate(keys)}

    def test_every_record_is_read_once(self, opens: Opens, plant: Plants) -> None:
        rows = people(30_000)
        body = parquet(rows, row_group_size=2_500)
        plant("people/a.parquet", body)
        source = opens(Limits(batch_bytes=32 * 1024, slice_bytes=len(body) // 3))
        read = batches(source, PEOPLE)
        assert len(slices(source, PEOPLE)) > 1
        assert same(pa.concat_tables([batch.rows for batch in read]), rows)
        assert (np.concatenate([batch.positions for batch in read]) == np.arange(30_000)).all()

    def test_every_type_is_read_as_it_is(self, source: Source, plant: Plants) -> None:
        body = parquet(every_type())
        plant("people/a.parquet", body)
        (batch,) = batches(source, PEOPLE)
        assert batch.rows.schema.metadata == every_type().schema.metadata
        assert batch.rows.drop_columns(["nan", "half"]).equals(
            every_type().drop_columns(["nan", "half"])
        )

    @pytest.mark.parametrize(("format_", "name", "body", "text"), TEXTS)
    def test_text_is_carried_as_its_bytes(
        self, source: Source, plant: Plants, format_: Format, name: str, body: bytes, text: bytes
    ) -> None:
        of = dataset(format_)
        plant(f"people/{name}", body)
        read = batches(source, of)
        assert len(read) > 1
        assert b"".join(lines(batch.rows) for batch in read) == text
        assert sum(batch.read for batch in read) == 3_000

    @pytest.mark.parametrize(("format_", "name", "body", "text"), TEXTS)
    def test_reading_again_gives_the_same_batches(
        self, source: Source, plant: Plants, format_: Format, name: str, body: bytes, text: bytes
    ) -> None:
        of = dataset(format_)
        plant(f"people/{name}", body)
        once, again, rest = batches(source, of), batches(source, of), batches(source, of, after=0)
        for one, other in (*zip(once, again, strict=True), *zip(once[1:], rest, strict=True)):
            assert (one.ordinal, one.last) == (other.ordinal, other.last)
            assert one.rows.equals(other.rows)
            assert (one.positions == other.positions).all()

    def test_slices_have_names_of_their_own_that_last(self, opens: Opens, plant: Plants) -> None:
        for key in ("a", "b"):
            plant(f"people/{key}.parquet", parquet(people(5_000), row_group_size=500))
        source = opens(Limits(slice_bytes=8 * 1024))
        ids = [piece.id for piece in slices(source, PEOPLE)]
        assert len(set(ids)) == len(ids) > 2
        assert ids == [piece.id for piece in slices(opens(Limits(slice_bytes=8 * 1024)), PEOPLE)]

    def test_a_slice_is_called_by_its_key_unless_keys_are_personal(
        self, source: Source, plant: Plants
    ) -> None:
        plant("people/ada@example.org.parquet", parquet(people(1)))
        (plain,) = slices(source, PEOPLE)
        (secret,) = slices(source, dataset(Format.PARQUET, keys=KeyClass.PERSONAL))
        assert "ada@example.org" in plain.label
        assert "ada" not in repr(secret)
        assert secret.id in secret.label

    def test_a_changed_object_is_stale(self, source: Source, plant: Plants) -> None:
        plant("people/a.parquet", parquet(people(10)))
        (found,) = source.objects(PEOPLE)
        (piece,) = source.cut(PEOPLE, found)
        plant("people/a.parquet", parquet(people(11)))
        with pytest.raises(StaleSlice):
            source.look(found.object)
        with pytest.raises(StaleSlice):
            list(source.batches(PEOPLE, piece, None))

    def test_an_object_that_never_was_is_missing(self, source: Source, plant: Plants) -> None:
        plant("people/a.parquet", parquet(people(10)))
        (found,) = source.objects(PEOPLE)
        gone = type(found.object)(found.object.key + "x", 1, "etag")
        with pytest.raises(Missing):
            source.look(gone)

    def test_a_look_tells_what_stands_beside_the_bytes(self, source: Source, plant: Plants) -> None:
        plant(
            "people/a.parquet",
            parquet(people(1)),
            metadata={"made-by": "app"},
            headers={"Content-Type": "application/x-ours"},
            tags={"team": "growth"},
        )
        (found,) = source.objects(PEOPLE)
        seen = source.look(found.object)
        assert seen.object.size == found.object.size
        assert seen.metadata == {"made-by": "app"}
        assert seen.tags == {"team": "growth"}
        assert seen.headers["Content-Type"] == "application/x-ours"

    @pytest.mark.parametrize("body", [b"", b"{}\n" * 30])
    def test_what_is_not_of_its_format_is_refused_by_its_label(
        self, source: Source, plant: Plants, body: bytes
    ) -> None:
        plant("people/bad.parquet", body)
        (piece,) = slices(source, PEOPLE)
        with pytest.raises(BadObject) as refusal:
            list(source.batches(PEOPLE, piece, None))
        assert piece.label in str(refusal.value)

    def test_an_empty_text_is_one_empty_batch(self, source: Source, plant: Plants) -> None:
        plant("people/a.jsonl", b"")
        (batch,) = batches(source, POSTS)
        assert (batch.read, batch.ordinal, batch.last) == (0, 0, True)


class OverBucket:
    """Fixtures of ``SourceContract`` over any bucket; inherit it first, and give ``bucket``."""

    root: ClassVar[str] = "legacy/"

    @pytest.fixture
    def plant(self, bucket: Bucket) -> Plants:
        return Planted(bucket, self.root)

    @pytest.fixture
    def opens(self, bucket: Bucket) -> Opens:
        return lambda limits: ObjectSource(bucket, self.root, codecs(limits), b"k" * 32)
