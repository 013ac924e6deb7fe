"""Keyed 128-bit digests of records, straight over Arrow columns (docs/formats/record-digest.md)."""

from repatria.digest.digester import Digester
from repatria.digest.digests import Compared, Digests, Kind, add, compare, empty, parse

__all__ = ["Compared", "Digester", "Digests", "Kind", "add", "compare", "empty", "parse"]
