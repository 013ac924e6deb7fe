"""Thrift's compact protocol, read only: as much of it as the header of a Parquet page needs.

Bytes of strangers are walked here, so nothing is believed: each length is checked against what is
there, structs nest only so deep, and whatever does not fit is a ``ValueError``. Source:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from typing import Final

_NESTING_MAX: Final = 8
_VARINT_BYTES_MAX: Final = 10
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_INTEGERS: Final = (_I16, _I32, _I64)

Struct = dict[int, "int | Struct | None"]
"""Fields by their ids: integers and structs; None for what was passed over."""


class Reader:
    """A place in a run of bytes, which moves on as values are read."""

    def __init__(self, octets: memoryview, at: int = 0) -> None:
        self._octets = octets.cast("B")  # Arrow shows octets as signed numbers.
        self.at = at

    def struct(self, depth: int = 0) -> Struct:
        """Read a struct up to its end. Raises ``ValueError`` if it is none."""
        if depth > _NESTING_MAX:
            raise ValueError("a struct is nested too deep")
        found: Struct = {}
        number = 0
        while head := self._octet():
            step, kind = head >> 4, head & 0x0F
            number = number + step if step else _zigzag(self._varint())
            found[number] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> int | Struct | None:
        if kind in (_TRUE, _FALSE):
            return int(kind == _TRUE)
        if kind in _INTEGERS:
            return _zigzag(self._varint())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        self._pass(kind, depth)
        return None

    def _pass(self, kind: int, depth: int) -> None:
        """Pass over a value that nobody asks for."""
        if kind == _BYTE:
            self._skip(1)
        elif kind == _DOUBLE:
            self._skip(8)
        elif kind == _BINARY:
            self._skip(self._varint())
        elif kind in (_LIST, _SET):
            self._pass_list(depth)
        else:
            raise ValueError("a value is of no kind that a page header has")

    def _pass_list(self, depth: int) -> None:
        head = self._octet()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if count > len(self._octets) - self.at:
            raise ValueError("a list is longer than what holds it")
        for _ in range(count):
            # In a list, unlike in a struct, a truth value takes an octet of its own.
            kind = head & 0x0F
            self._value(_BYTE if kind in (_TRUE, _FALSE) else kind, depth + 1)

    def _octet(self) -> int:
        if self.at >= len(self._octets):
            raise ValueError("a struct ends before its own end")
        self.at += 1
        return self._octets[self.at - 1]

    def _varint(self) -> int:
        found = shift = 0
        while shift < 7 * _VARINT_BYTES_MAX:
            octet = self._octet()
            found |= (octet & 0x7F) << shift
            if octet < 0x80:
                return found
            shift += 7
        raise ValueError("a number is too long")

    def _skip(self, count: int) -> None:
        if count > len(self._octets) - self.at:
            raise ValueError("a value is longer than what holds it")
        self.at += count


def _zigzag(number: int) -> int:
    return (number >> 1) ^ -(number & 1)
