"""Thrift's compact protocol, written by hand: footers that no library would write."""

from __future__ import annotations

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    return varint(2 * number if number >= 0 else -2 * number - 1)


def text(value: bytes) -> bytes:
    return varint(len(value)) + value


def listed(kind: int, items: list[bytes]) -> bytes:
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind])
    return head + (varint(len(items)) if len(items) >= 15 else b"") + b"".join(items)


def struct(*fields: tuple[int, int, bytes]) -> bytes:
    """Write fields (id, kind, value), ids climbing by less than 16."""
    out, before = bytearray(), 0
    for number, kind, value in fields:
        out += bytes([(number - before) << 4 | kind]) + value
        before = number
    return bytes(out) + b"\0"


def deep_footer(depth: int) -> bytes:
    """Return an object without rows whose schema is ``depth`` groups deep."""
    group = struct((3, I32, zigzag(0)), (4, BINARY, text(b"g")), (5, I32, zigzag(1)))
    root = struct((4, BINARY, text(b"r")), (5, I32, zigzag(1)))
    leaf = struct((1, I32, zigzag(1)), (3, I32, zigzag(0)), (4, BINARY, text(b"user")))
    return _object([root, *[group] * depth, leaf], 0, [])


def footer_of_groups(count: int) -> bytes:
    """Return an object that says to have ``count`` row groups of one row, and has none."""
    root = struct((4, BINARY, text(b"r")), (5, I32, zigzag(1)))
    leaf = struct((1, I32, zigzag(1)), (3, I32, zigzag(0)), (4, BINARY, text(b"user")))
    about = struct(
        (1, I32, zigzag(1)),
        (2, LIST, listed(I32, [zigzag(0)])),
        (3, LIST, listed(BINARY, [text(b"user")])),
        (4, I32, zigzag(0)),
        (5, I64, zigzag(1)),
        (6, I64, zigzag(30)),
        (7, I64, zigzag(30)),
        (9, I64, zigzag(4)),
    )
    chunk = struct((2, I64, zigzag(4)), (3, STRUCT, about))
    group = struct((1, LIST, listed(STRUCT, [chunk])), (2, I64, zigzag(30)), (3, I64, zigzag(1)))
    return _object([root, leaf], count, [group] * count)


def _object(schema: list[bytes], rows: int, groups: list[bytes]) -> bytes:
    footer = struct(
        (1, I32, zigzag(1)),
        (2, LIST, listed(STRUCT, schema)),
        (3, I64, zigzag(rows)),
        (4, LIST, listed(STRUCT, groups)),
    )
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
