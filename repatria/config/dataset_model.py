"""Datasets, as the configuration writes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from repatria.config.strict_model import DatasetText, Strict, folder_like, plain
from repatria.dataset import (
    BackupPolicy,
    ByCountry,
    ByDirectory,
    Column,
    ColumnType,
    Compression,
    CsvShape,
    Dataset,
    FieldClass,
    Format,
    KeyClass,
    UnknownCountry,
)
from repatria.names import DatasetName

RESERVED_COLUMNS = "__"


def _column(name: str) -> str:
    if name.startswith(RESERVED_COLUMNS):
        raise ValueError("expected a column that does not begin with '__', which is ours")
    return plain(name)


def _prefix(text: str) -> str:
    if not text or text.startswith("_repatria/"):
        raise ValueError("expected a prefix that is not empty and does not begin with _repatria/")
    return folder_like(text)


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


ColumnText = Annotated[str, StringConstraints(min_length=1), AfterValidator(_column)]


class ColumnModel(Strict):
    """A column by name, in a declared type."""

    name: ColumnText
    """Its name, exactly."""

    type: ColumnType = ColumnType.STRING
    """Its type: string, int64, or timestamp (microseconds, UTC; text as RFC 3339)."""

    def noun(self) -> Column:
        """Return the noun of this model."""
        return Column(self.name, self.type)


ShortColumn = Annotated[str, StringConstraints(min_length=1), Field(title="a text column")]

ColumnOrName = Annotated[
    ColumnModel, BeforeValidator(_named, json_schema_input_type=ShortColumn | ColumnModel)
]
"""A column; a name alone is a column of type string."""


class CountryColumnModel(Strict):
    """Residency from a column of the record itself."""

    column: ColumnText
    """A text column of ISO 3166-1 alpha-2 codes."""


class DirectoryModel(Strict):
    """Residency from the directory user → region."""

    directory: DatasetText
    """The dataset that says where each user lives. Its own residency is a column."""


def _way(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    return next((f"<{key}>" for key in ("column", "directory") if key in value), None)


ResidencyModel = Annotated[
    Annotated[CountryColumnModel, Tag("<column>")] | Annotated[DirectoryModel, Tag("<directory>")],
    Discriminator(
        _way,
        custom_error_type="residency",
        custom_error_message="expected {column: name} or {directory: dataset}",
    ),
]


class CsvModel(Strict):
    """How a CSV dataset is written (RFC 4180 otherwise)."""

    header: bool = True
    """Whether each object begins with a line of column names."""

    columns: tuple[ColumnText, ...] = ()
    """The columns in order, where there is no header."""

    delimiter: Annotated[str, StringConstraints(pattern=r'^[^"\r\n\x00]$')] = ","
    """One character between fields."""

    @model_validator(mode="after")
    def _declares_its_columns_once(self) -> Self:
        if self.header == bool(self.columns):
            raise ValueError("expected columns with header: false, and only then")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("expected each column once")
        if not self.delimiter.isascii():
            raise ValueError("expected a delimiter of ASCII")
        return self


class DatasetModel(Strict):
    """A named collection of records."""

    prefix: Annotated[str, AfterValidator(_prefix)]
    """Where its objects lie, below each store's own prefix; ends in `/`."""

    format: Format
    """How records are written."""

    compression: Compression = Compression.AUTO
    """How the bytes of a text object are packed; auto goes by the key's ending (.gz, .zst)."""

    csv: CsvModel | None = None
    """For `format: csv` alone."""

    identity: Annotated[tuple[ColumnOrName, ...], Field(min_length=1, max_length=16)]
    """Columns that tell records apart. Fixed once a ledger holds receipts."""

    user: ColumnOrName
    """The column that says whose record it is."""

    version: ColumnOrName | None = None
    """The column whose greater value is the newer record: int64 or timestamp."""

    residency: ResidencyModel
    """Where a record's user lives: `{column: country}` or `{directory: profiles}`."""

    fields: dict[ColumnText, FieldClass] = Field(default_factory=dict)
    """How personal each field is: none, personal or sensitive."""

    unknown_country: UnknownCountry = UnknownCountry.QUARANTINE
    """What becomes of a record whose country is absent or none."""

    backup: BackupPolicy = BackupPolicy.RECONCILE
    """Whether the backup site is compared record by record, or not read at all."""

    keys: KeyClass = KeyClass.PLAIN
    """Whether object keys name people, and must appear as digests in all that is shown or kept."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        quarrels = tuple(_quarrels(self))
        if quarrels:
            raise ValueError("; ".join(quarrels))
        return self

    def deciding(self) -> Iterator[ColumnModel]:
        """Yield the declared columns, with repetitions."""
        yield from self.identity
        yield self.user
        if self.version is not None:
            yield self.version
        if isinstance(self.residency, CountryColumnModel):
            yield ColumnModel(name=self.residency.column)

    def noun(self, name: str) -> Dataset:
        """Return the noun of this model."""
        return Dataset(
            name=DatasetName(name),
            prefix=self.prefix,
            format=self.format,
            identity=tuple(column.noun() for column in self.identity),
            user=self.user.noun(),
            version=self.version.noun() if self.version else None,
            residency=_residency(self.residency),
            compression=self.compression,
            csv=CsvShape(**self.csv.model_dump()) if self.csv else CsvShape(),
            fields=dict(sorted(self.fields.items())),
            unknown=self.unknown_country,
            backup=self.backup,
            keys=self.keys,
        )


def _quarrels(model: DatasetModel) -> Iterator[str]:
    names = [column.name for column in model.identity]
    types = {(column.name, column.type) for column in model.deciding()}
    if len(set(names)) < len(names):
        yield "expected each identity column once"
    if len({name for name, _ in types}) < len(types):
        yield "expected one type for each column; one is declared with two (a country is text)"
    if model.version is not None and model.version.type is ColumnType.STRING:
        yield "expected a version of type int64 or timestamp: as text, 10 is less than 9"
    if model.csv is not None and model.format is not Format.CSV:
        yield "expected csv with format: csv alone"
    if model.format is Format.PARQUET and model.compression is not Compression.AUTO:
        yield "expected no compression with format: parquet, which packs its own pages"
    declared = model.csv.columns if model.csv else ()
    if declared and not {name for name, _ in types} <= set(declared):
        yield "expected every deciding column among csv.columns"


def _residency(model: CountryColumnModel | DirectoryModel) -> ByCountry | ByDirectory:
    if isinstance(model, CountryColumnModel):
        return ByCountry(model.column)
    return ByDirectory(DatasetName(model.directory))
