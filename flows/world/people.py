"""Synthetic people: who user number *n* is, as a pure function of the seed and *n*.

No table of users is kept: the id and the country of any of them are computed where they are
needed, in columns, so that a million users cost no more memory than one object of them.
Ids are shuffled by an affine map over a prime, so that neighbours in a file are not neighbours
in the id; countries come from SplitMix64 (Steele, Lea, Flood, 2014) of the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.int64]
Texts: TypeAlias = "pa.Array[Any]"
Countries = npt.NDArray[np.int8]
"""One index into ``COUNTRIES`` per person."""


def words(text: str, between: str = " ") -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split(between))


EUROPEAN: Final = words(
    "DE FR GB IT ES PL IE NL NO SE CH DK BE AT FI PT CZ RO GR HU LT LV EE IS LI"
)
ELSEWHERE: Final = words("US BR IN ID MX JP CA AU ZA NG AR TR KR PH VN")
COUNTRIES: Final = (*EUROPEAN, *ELSEWHERE)
"""The Europeans first: an index below ``len(EUROPEAN)`` has a region, the others stay."""

_EUROPEAN_SHARE: Final = 0.35
_ID_PRIME: Final = 99_999_989
_ID_STEP: Final = 61_803_399


def _weights() -> npt.NDArray[np.float64]:
    """Earlier countries of each half have more people, the last still some."""
    halves = []
    for size, share in ((len(EUROPEAN), _EUROPEAN_SHARE), (len(ELSEWHERE), 1 - _EUROPEAN_SHARE)):
        weights = 1.0 / (np.arange(size) + 4.0)
        halves.append(share * weights / weights.sum())
    return np.concatenate(halves)


_EDGES: Final = np.cumsum(_weights())[:-1]


@dataclass(frozen=True, slots=True)
class People:
    """``users`` people live in the world; numbers from ``users`` on are people of special use."""

    users: int
    seed: int

    def countries(self, numbers: Numbers) -> Countries:
        """Return the country of each person."""
        share = _mix(numbers.astype(np.uint64), self.seed) / np.float64(2**64)
        return np.searchsorted(_EDGES, share, side="right").astype(np.int8)

    def ids(self, numbers: Numbers) -> Texts:
        """Return the user id of each person, such as ``u-00000042``; no two people share one."""
        shuffled = (numbers * _ID_STEP + self.seed) % _ID_PRIME
        return prefixed("u-", digits(shuffled, 8))

    def random(self, *purpose: int) -> np.random.Generator:
        """Return the random numbers of one purpose: always the same for the same seed."""
        return np.random.default_rng([self.seed, *purpose])


def european(countries: Countries) -> npt.NDArray[np.bool_]:
    """Say who belongs to a region."""
    return countries < len(EUROPEAN)


def country_codes(countries: Countries) -> Texts:
    """Return ISO 3166-1 codes."""
    return pick(COUNTRIES, countries.astype(np.int64))


def pick(from_words: tuple[str, ...], which: Numbers) -> Texts:
    """Return ``from_words[which]`` as a column."""
    return pa.array(from_words, pa.string()).take(pa.array(which, pa.int64()))


def digits(numbers: Numbers, width: int) -> npt.NDArray[np.uint8]:
    """Return decimal digits, zero-padded: shape (n, width), ASCII."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def prefixed(prefix: str, tail: npt.NDArray[np.uint8]) -> Texts:
    """Return a column of texts of equal length: ``prefix`` and the bytes of each row."""
    head = np.broadcast_to(np.frombuffer(prefix.encode(), np.uint8), (len(tail), len(prefix)))
    flat = np.ascontiguousarray(np.hstack([head, tail]))
    offsets = np.arange(len(flat) + 1, dtype=np.int32) * flat.shape[1]
    return pa.StringArray.from_buffers(
        len(flat), pa.py_buffer(offsets.tobytes()), pa.py_buffer(flat.tobytes())
    )


def rfc3339(seconds: Numbers) -> Texts:
    """Write times (seconds since 1970) as ``2024-05-01T09:30:00Z``."""
    text = pc.cast(pa.array(seconds, pa.timestamp("s", "UTC")), pa.string())
    return pc.replace_substring(text, " ", "T")


def joined(*columns: Texts | str) -> Texts:
    """Glue columns and constants together, row by row."""
    parts: list[Any] = [*columns, ""]
    glued: Texts = pc.binary_join_element_wise(*parts)
    return glued


def body(lines: Texts) -> bytes:
    """Return the texts of a column one after another, without a copy per row."""
    whole = lines if lines.offset == 0 else pa.concat_arrays([lines])
    _, offsets, data = whole.buffers()
    if offsets is None or data is None or len(whole) == 0:
        return b""
    stop = int(np.frombuffer(memoryview(offsets), np.int32)[len(whole)])
    return data[:stop].to_pybytes()


def _mix(numbers: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    """SplitMix64's finaliser: each number to one that looks like chance."""
    word = numbers + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
