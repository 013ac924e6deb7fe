"""How many records a text may hold: in one batch, and in one object.

A record costs some tens of bytes beside its own, so that a window full of the shortest ones would
outgrow any budget of bytes. Counted while the text is read, before a batch is made of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connectors.formats.lines import Segment
from connectors.formats.windows import Span
from repatria.errors import BadObject
from repatria.limits import Limits


def within(
    segments: Iterable[Segment], span: Span, limits: Limits, label: str
) -> Iterator[Segment]:
    """Yield the segments of a slice. Raises ``BadObject`` once they are too many records."""
    window = seen = here = 0
    for segment in segments:
        number = span.number(segment.at)
        window, here = number, (here if number == window else 0) + len(segment)
        seen += len(segment)
        _check(here, limits.batch_rows, "a batch has more records than limits.batch_rows", label)
        _check(
            seen,
            limits.rows_per_object,
            "an object has more records than limits.rows_per_object",
            label,
        )
        yield segment


def _check(count: int, most: int, message: str, label: str) -> None:
    if count > most:
        raise BadObject(message, object=label, most=most)
