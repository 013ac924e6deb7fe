"""Numbers as people read them: thin separators, decimal units, rounded times.

A gigabyte is 10⁹ bytes, as stores charge it. What is not known is a dash, never a zero.
"""

from __future__ import annotations

from typing import Final

THIN: Final = "\u202f"
"""A narrow space that does not break: between groups of digits, and before a unit."""

NOTHING: Final = "\u2013"
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")


def count(number: int | None) -> str:
    """Write a whole number in groups of three."""
    return NOTHING if number is None else f"{number:,}".replace(",", THIN)


def size(octets: int | None) -> str:
    """Write a number of bytes in the largest unit that leaves at least one."""
    if octets is None:
        return NOTHING
    value, unit = float(octets), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or value >= 99.95 else 1
    return f"{value:.{digits}f}{THIN}{_UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """Write a span of time in its two largest units."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{seconds:.1f}{THIN}s"
    whole = round(seconds)
    parts = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    first = next(index for index, (length, _) in enumerate(parts) if whole >= length)
    told = []
    for length, unit in parts[first : first + 2]:
        amount, whole = divmod(whole, length)
        if amount:
            told.append(f"{amount}{THIN}{unit}")
    return " ".join(told)


def rate(per_second: float | None, *, of: str = "records") -> str:
    """Write how many of something pass in a second."""
    return NOTHING if per_second is None else f"{count(round(per_second))}{THIN}{of}/s"


def share(part: float, whole: float) -> str:
    """Write a part of a whole in per cent. 100 % is said of the whole alone."""
    if whole <= 0:
        return NOTHING
    percent = 100 * part / whole
    if part < whole and percent >= 99.95:
        percent = 99.9
    digits = 0 if percent in (0, 100) or percent >= 99.95 else 1
    return f"{percent:.{digits}f}{THIN}%"


def span(low: int, high: int) -> str:
    """Write a range of whole numbers; one number where both ends are equal."""
    return count(low) if low == high else f"{count(low)} {NOTHING} {count(high)}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def moment(iso: str) -> str:
    """Write an ISO 8601 time of UTC to the minute."""
    return f"{iso[:16].replace('T', ' ')} UTC"
