"""The Arrow type of Parquet's GEOMETRY and GEOGRAPHY, so that neither annotation is lost.

The Parquet library writes the annotation only for columns of a registered extension type of
the name ``geoarrow.wkb``; otherwise it reads and writes bytes that nobody knows to be shapes.
Source: https://geoarrow.org/extension-types.
"""

from __future__ import annotations

import pyarrow as pa


class WellKnownBinary(pa.ExtensionType):
    """Shapes in ISO WKB; ``told`` is the GeoArrow metadata (reference system, edges) as it came."""

    def __init__(self, storage: pa.DataType, told: bytes = b"{}") -> None:
        self._told = told
        super().__init__(storage, "geoarrow.wkb")

    def __hash__(self) -> int:
        return hash((self.extension_name, self._told))

    def __arrow_ext_serialize__(self) -> bytes:
        return self._told

    @classmethod
    def __arrow_ext_deserialize__(
        cls, storage_type: pa.DataType, serialized: bytes
    ) -> WellKnownBinary:
        return cls(storage_type, serialized)


def register() -> None:
    """Make the type known to Arrow; harmless where somebody has done so already."""
    try:
        pa.register_extension_type(WellKnownBinary(pa.binary()))  # type: ignore[arg-type]
    except pa.ArrowKeyError:
        return
