"""What S3 keeps to check a body by: what its writer chose, or else CRC-64/NVME of the whole.

It is computed while the body arrives. An upload in parts keeps that of its whole, whatever its
parts were told with; none of the contenders reads the checksums of their own parts again.
Source: Amazon S3 user guide, "Checking object integrity".
"""

from __future__ import annotations

import base64
import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from connectors.body_digest import begun

BY_ITSELF: Final = "crc64nvme"
_ASKED: Final = "x-amz-checksum-"
_TRAILER: Final = "x-amz-trailer"


class Sums:
    """The checksum of one body, as its request chose."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        named = [*headers, headers.get(_TRAILER, "")]
        chosen = (name.removeprefix(_ASKED) for name in named if name.startswith(_ASKED))
        self._name = next((one for one in chosen if begun(one.upper())), BY_ITSELF)
        self._told = headers.get(_ASKED + self._name)
        self._digest = begun(self._name.upper())

    def update(self, data: bytes | memoryview) -> None:
        """Go on by these bytes."""
        if self._digest is not None:
            self._digest.update(data)

    @property
    def right(self) -> bool:
        """Whether the body is what the request said; what comes in a trailer is not looked at."""
        told = self._told
        return told is None or self.headers.get(_ASKED + self._name, told) == told

    @property
    def headers(self) -> dict[str, str]:
        """How an answer says it. Nothing, where there is no compiled library to compute it."""
        if self._digest is None:
            return {}
        value = base64.b64encode(self._digest.digest()).decode()
        return {_ASKED + self._name: value, _ASKED + "type": "FULL_OBJECT"}


def of_files(paths: Sequence[Path]) -> dict[str, str]:
    """Return what S3 keeps by itself of a body that lies in files, one after the other."""
    sums = Sums({})
    for path in paths:
        if path.stat().st_size > 0:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as body:
                sums.update(memoryview(body))
    return sums.headers
