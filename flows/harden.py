"""Makes Prefect refuse to unpickle: what a result store holds is never turned into objects.

Prefect reads a result by the serializer that the stored record names, so that whoever can write
a record could run code here, whatever serializer we ask for. Nothing of ours is persisted and
nothing is read back: the pickle serializer is replaced by a refusal when a flow is imported.
It also keeps Prefect from calling home.
"""

from __future__ import annotations

import os
from typing import NoReturn

os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

from prefect.serializers import PickleSerializer


class PickleRefused(RuntimeError):
    """Somebody asked Prefect to unpickle a stored result."""


def refuse(_self: object, _blob: bytes) -> NoReturn:
    """Stand where ``PickleSerializer.loads`` stood."""
    raise PickleRefused("a stored result is never unpickled; flows keep no results")


PickleSerializer.loads = refuse  # type: ignore[method-assign, assignment]
