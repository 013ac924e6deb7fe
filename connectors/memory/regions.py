"""A directory in memory: the reference of the port."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_UNKNOWN = -2


class MemoryRegions:
    """The given users and their codes; anybody else, null and the empty text are unknown."""

    def __init__(self, codes: Mapping[Any, int]) -> None:
        known = {user: code for user, code in codes.items() if user not in (None, "")}
        told = sorted((repr(user), code) for user, code in known.items())
        self.digest = hashlib.sha256(repr(told).encode()).hexdigest()
        self._users = list(known)
        self._codes = np.array([*known.values(), _UNKNOWN], dtype=np.int32)

    def lookup(self, users: pa.Array[Any]) -> npt.NDArray[np.int32]:
        if not self._users:
            return np.full(len(users), _UNKNOWN, dtype=np.int32)
        if isinstance(users, pa.DictionaryArray):
            users = users.dictionary_decode()
        places = pc.index_in(users, value_set=pa.array(self._users, users.type))
        found: npt.NDArray[np.int32] = self._codes[places.fill_null(len(self._users)).to_numpy()]
        return found
