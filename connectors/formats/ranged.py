"""A file-like view of one object: few large reads into windows, small reads out of them.

A decoder asks for one column chunk at a time; a store charges for each request. So whoever
knows what is needed next opens a *window* with one ranged read, and the decoder is served from
it without a copy. What no window covers is read as it is asked for. At most two windows are
held: the footer's and the current one.
"""

from __future__ import annotations

import io

import pyarrow as pa

from connectors.formats.codec import Access
from repatria.errors import RepatriaError


class Ranged(io.RawIOBase):
    """A seekable file for ``pyarrow.PythonFile``; not for several threads.

    ``failure`` keeps what the store raised inside a decoder's call, because a decoder may
    wrap or replace the exceptions of its file.
    """

    def __init__(self, access: Access) -> None:
        super().__init__()
        self._access = access
        self._at = 0
        self._tail: tuple[int, pa.Buffer] = (access.size, pa.py_buffer(b""))
        self._window: tuple[int, pa.Buffer] = (0, pa.py_buffer(b""))
        self.failure: RepatriaError | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        """Stay open: two decoders may read one object in turn, and either may end first."""

    def size(self) -> int:
        return self._access.size

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._at, self._access.size)[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, count: int = -1) -> bytes:
        return self.read_buffer(count).to_pybytes()

    def read_buffer(self, count: int = -1) -> pa.Buffer:
        """Return the next ``count`` bytes, fewer only at the end."""
        start = min(self._at, self._access.size)
        stop = self._access.size if count < 0 else min(start + count, self._access.size)
        self._at = stop
        return self.between(start, stop)

    def between(self, start: int, stop: int) -> pa.Buffer:
        """Return these bytes, from a window if one covers them."""
        held = self.held(start, stop)
        return self._fetch(start, stop) if held is None else held

    def held(self, start: int, stop: int) -> pa.Buffer | None:
        """Return these bytes if a window covers them, without asking anybody."""
        for first, held in (self._window, self._tail):
            if first <= start and stop <= first + held.size:
                return held.slice(start - first, stop - start)
        return None

    def hold_tail(self, start: int) -> pa.Buffer:
        """Keep the bytes from ``start`` to the end, and return them."""
        self._tail = (start, self._fetch(start, self._access.size))
        return self._tail[1]

    def hold(self, start: int, stop: int) -> None:
        """Make a window of these bytes, in place of the one before, unless they are held."""
        first, tail = self._tail
        if first <= start and stop <= first + tail.size:
            return
        self._window = (0, pa.py_buffer(b""))
        self._window = (start, self._fetch(start, stop))

    def _fetch(self, start: int, stop: int) -> pa.Buffer:
        try:
            return self._access.read(start, stop)
        except RepatriaError as failure:
            self.failure = failure
            raise
