"""Datasets: what a collection of records is, and how its records are told apart and placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from repatria.names import DatasetName


class Format(StrEnum):
    """How records are written in an object."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    CSV = "csv"


class Compression(StrEnum):
    """How the bytes of a text object are packed. ``AUTO``: by its name's ending (.gz, .zst)."""

    AUTO = "auto"
    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


class ColumnType(StrEnum):
    """Types in which an identity, a user or a version may be declared."""

    STRING = "string"
    INT64 = "int64"
    TIMESTAMP = "timestamp"  #: Microseconds, UTC; text as RFC 3339.


class FieldClass(StrEnum):
    """How personal a field is."""

    NONE = "none"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


class UnknownCountry(StrEnum):
    """What becomes of a record whose country is absent or not a country."""

    QUARANTINE = "quarantine"
    STAY = "stay"


class BackupPolicy(StrEnum):
    """What the backup site is read for."""

    RECONCILE = "reconcile"
    IGNORE = "ignore"


class KeyClass(StrEnum):
    """Whether object keys identify people (law 9)."""

    PLAIN = "plain"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name, in a declared type."""

    name: str
    type: ColumnType = ColumnType.STRING


@dataclass(frozen=True, slots=True)
class ByCountry:
    """Residency from a column of the record itself."""

    column: str


@dataclass(frozen=True, slots=True)
class ByDirectory:
    """Residency from the directory user → region, built from another dataset."""

    of: DatasetName


@dataclass(frozen=True, slots=True)
class CsvShape:
    """How a CSV dataset is written. With no header its columns are declared."""

    header: bool = True
    columns: tuple[str, ...] = ()
    delimiter: str = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A named multiset of records: duplicates are kept.

    ``prefix`` is relative to each store's own prefix and ends in ``/``. ``identity`` tells
    records apart across sites; it is fixed once a ledger holds receipts.
    """

    name: DatasetName
    prefix: str
    format: Format
    identity: tuple[Column, ...]
    user: Column
    residency: ByCountry | ByDirectory
    version: Column | None = None
    compression: Compression = Compression.AUTO
    csv: CsvShape = field(default_factory=CsvShape)
    fields: Mapping[str, FieldClass] = field(default_factory=dict)
    unknown: UnknownCountry = UnknownCountry.QUARANTINE
    backup: BackupPolicy = BackupPolicy.RECONCILE
    keys: KeyClass = KeyClass.PLAIN

    @property
    def carried(self) -> bool:
        """Whether records travel as the bytes of their line rather than as typed columns."""
        return self.format is not Format.PARQUET

    @property
    def deciding(self) -> tuple[Column, ...]:
        """The columns that decide anything, each once: identity, user, version, country."""
        named = [*self.identity, self.user]
        if self.version is not None:
            named.append(self.version)
        if isinstance(self.residency, ByCountry):
            named.append(Column(self.residency.column))
        return tuple({column.name: column for column in reversed(named)}.values())[::-1]
