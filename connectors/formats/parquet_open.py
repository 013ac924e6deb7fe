"""Opening a Parquet object: everything that can be known to be wrong before a page is decoded.

A footer is a claim by whoever wrote the object. It is refused here if it is too large, not of the
format, encrypted, over a limit, without the columns that decide, or of a schema that would not
arrive as it is. Whatever a decoder raises becomes ``BadObject`` here too, in our words: a
decoder's own message may quote what it read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.formats.codec import Access
from connectors.formats.geometry import register
from connectors.formats.packing import Decoded, decoded_bytes_max
from connectors.formats.parquet_cut import Group, weigh
from connectors.formats.parquet_write import write
from connectors.formats.ranged import Ranged
from repatria.dataset import Dataset
from repatria.errors import BadObject, RepatriaError
from repatria.limits import MIB, Limits

FOOTER_BYTES_MAX: Final = 32 * MIB
"""A footer takes some twenty times its bytes in memory."""
_LISTED_MIN: Final = 10_000  # Of whatever a footer lists besides row groups and columns.
TAIL_BYTES: Final = 64 * 1024
BUFFER_BYTES: Final = MIB
"""Of each column, where a run is too large to be held at once: else a chunk is held whole."""
MAGIC: Final = b"PAR1"
ENCRYPTED: Final = b"PARE"
SIGNATURE_BYTES: Final = 28
"""Nonce and tag behind a footer that is signed because columns are encrypted (Parquet modular
encryption, 5.4). To touch the metadata of such a column would end the process."""

register()

DECODER_ERRORS: Final = (
    pa.ArrowException,
    OSError,
    MemoryError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
)
"""What the Parquet library was seen to raise, or may, over bytes that are not as they should be."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An object whose footer was read and found fit; ``label`` is what messages call it.

    ``empty`` is the object without its rows: a table, because Arrow cannot build an empty one for
    every schema that Parquet gives. ``int96`` names the top-level columns that hold timestamps of
    the old 96-bit kind. ``decoded`` counts what was decoded since it was opened.
    """

    label: str
    source: Ranged
    file: pq.ParquetFile
    empty: pa.Table
    groups: tuple[Group, ...]
    int96: tuple[str, ...]
    limits: Limits
    decoded: Decoded

    def again(self) -> pq.ParquetFile:
        """Open the same object with its 96-bit timestamps as microseconds."""
        with refusing(self.label, self.source):
            return _parquet(self.source, "us", self.limits)

    def of_dictionaries(self, paths: list[str]) -> pq.ParquetFile:
        """Open the same object with the dictionaries of these columns kept as they are."""
        return _parquet(self.source, None, self.limits, paths)


@contextmanager
def refusing(label: str, source: Ranged | None = None) -> Iterator[None]:
    """Turn what a decoder raises into ``BadObject``, and what the store raised into itself."""
    try:
        yield
    except RepatriaError:
        raise
    except DECODER_ERRORS as error:
        if source is not None and source.failure is not None:
            raise source.failure from error
        raise BadObject(reason(error), object=label) from error


def reason(error: BaseException) -> str:
    """Say what a decoder's exception means, without a word of its own."""
    if isinstance(error, MemoryError):
        return "decoding needs more memory than there is"
    told = str(error).lower()
    if "crc" in told or "checksum" in told:
        return "a page does not have its checksum"
    if "encrypt" in told or "decrypt" in told:
        return "the object is encrypted and no key was given"
    if isinstance(error, NotImplementedError):
        return "the object uses a feature of Parquet that cannot be read"
    return "the object cannot be decoded as Parquet"


def open_footer(access: Access, label: str, limits: Limits) -> Opened:
    """Read and check the footer: two ranged reads at most; a small object is read whole."""
    source = Ranged(access)
    footer = _hold_footer(source, access.size, label, limits)
    with refusing(label, source):
        file = _parquet(source, None, limits)
        metadata = file.metadata
        if footer - metadata.serialized_size == SIGNATURE_BYTES:
            raise BadObject("the object is encrypted and no key was given", object=label)
        _check_counts(metadata, label, limits)
        groups = tuple(_group(metadata.row_group(at)) for at in range(metadata.num_row_groups))
        if sum(group.rows for group in groups) > limits.rows_per_object:
            raise BadObject("the object has too many rows", object=label)
        empty = file.read_row_groups([], use_threads=False)
        decoded = Decoded(label, decoded_bytes_max(access.size, limits))
        return Opened(label, source, file, empty, groups, _int96(file, label), limits, decoded)


def check_schema(opened: Opened, dataset: Dataset, limits: Limits) -> None:
    """Refuse an object without the deciding columns, too deep, or that would not arrive as is."""
    schema = opened.empty.schema
    names = schema.names
    for column in dataset.deciding:
        if names.count(column.name) != 1:
            raise BadObject(
                "a column that decides is absent or there twice",
                object=opened.label,
                column=column.name,
            )
    for field in schema:
        if _depth(field.type) > limits.nesting:
            raise BadObject("a column is nested too deep", object=opened.label, column=field.name)
    if not survives(opened.empty):
        raise BadObject("the schema would not arrive as it is", object=opened.label)


def survives(empty: pa.Table) -> bool:
    """Say whether a table's schema, metadata included, is the same once written and read back."""
    try:
        written = pq.ParquetFile(pa.BufferReader(write(empty)))
        back = written.read_row_groups([], use_threads=False).schema
    except DECODER_ERRORS:
        return False
    return bool(back.equals(empty.schema, check_metadata=True))


def _parquet(
    source: Ranged, int96_unit: str | None, limits: Limits, dictionaries: Sequence[str] = ()
) -> pq.ParquetFile:
    source.seek(0)
    return pq.ParquetFile(
        pa.PythonFile(source, mode="r"),
        page_checksum_verification=True,
        coerce_int96_timestamp_unit=int96_unit,
        pre_buffer=False,
        buffer_size=BUFFER_BYTES,
        read_dictionary=list(dictionaries),
        thrift_container_size_limit=max(_LISTED_MIN, 2 * limits.columns, 2 * limits.row_groups),
    )


def _hold_footer(source: Ranged, size: int, label: str, limits: Limits) -> int:
    """Hold the footer, by the smallest reads, and return its length."""
    if size < len(MAGIC) * 3:
        raise BadObject("the object is too short to be Parquet", object=label, bytes=size)
    whole = size <= max(TAIL_BYTES, min(limits.batch_bytes, limits.slice_bytes) // 16)
    tail = source.hold_tail(0 if whole else size - TAIL_BYTES).to_pybytes()[-8:]
    if tail[4:] == ENCRYPTED:
        raise BadObject("the object is encrypted and no key was given", object=label)
    if tail[4:] != MAGIC:
        raise BadObject("the object does not end as Parquet does", object=label)
    footer = int.from_bytes(tail[:4], "little")
    if footer > FOOTER_BYTES_MAX:
        raise BadObject("the footer is too large", object=label, bytes=footer)
    start = size - 8 - footer
    if start < 0:
        raise BadObject("the object is shorter than its footer says", object=label)
    if not whole and footer + 8 > TAIL_BYTES:
        source.hold_tail(start)
    return footer


def _check_counts(metadata: pq.FileMetaData, label: str, limits: Limits) -> None:
    for what, count, most in (
        ("columns", metadata.num_columns, limits.columns),
        ("row groups", metadata.num_row_groups, limits.row_groups),
        ("rows", metadata.num_rows, limits.rows_per_object),
    ):
        if count > most:
            raise BadObject(f"the object has too many {what}", object=label, count=count, most=most)


def _group(told: pq.RowGroupMetaData) -> Group:
    columns = [told.column(at) for at in range(told.num_columns)]
    starts = [_start(column) for column in columns]
    stops = [
        start + column.total_compressed_size for start, column in zip(starts, columns, strict=True)
    ]
    return Group(
        rows=told.num_rows,
        weight=weigh(told.total_byte_size, told.num_rows, told.num_columns),
        packed=sum(column.total_compressed_size for column in columns),
        start=min(starts, default=0),
        stop=max(stops, default=0),
    )


def _start(column: pq.ColumnChunkMetaData) -> int:
    dictionary = column.dictionary_page_offset or column.data_page_offset
    return min(dictionary, column.data_page_offset)


def _int96(file: pq.ParquetFile, label: str) -> tuple[str, ...]:
    """Name the top-level columns of 96-bit timestamps: leaves stand in order of their columns."""
    leaves = file.schema
    old = [at for at in range(len(leaves)) if leaves.column(at).physical_type == "INT96"]
    if not old:
        return ()
    owners = [field.name for field in file.schema_arrow for _ in range(_leaves(field.type))]
    if len(owners) != len(leaves):
        raise BadObject("a column of 96-bit timestamps cannot be told apart", object=label)
    return tuple(dict.fromkeys(owners[at] for at in old))


def _leaves(kind: pa.DataType) -> int:
    kind = _storage(kind)
    if kind.num_fields == 0:
        return 1
    return sum(_leaves(kind.field(at).type) for at in range(kind.num_fields))


def _depth(kind: pa.DataType) -> int:
    """Count levels of nesting, walking level by level so that depth costs no stack."""
    level, depth = [kind], 0
    while level:
        depth += 1
        level = [one.field(at).type for one in map(_storage, level) for at in range(one.num_fields)]
    return depth


def _storage(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
