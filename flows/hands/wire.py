"""What passes between a door and its hands: one JSON object a line, names and counts alone.

Nothing is ever unpickled. A failure crosses as the name of its class, its message and its facts,
and is raised on the other side as the same class with the same text. Of a defect only its
class and the lines of code that it passed cross: nobody vouches that its text holds no record.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.wrap.metered import Count
from repatria.errors import RepatriaError
from repatria.names import SiteName

if TYPE_CHECKING:
    from flows.wiring import House

Message: TypeAlias = Mapping[str, Any]


def line(message: Message) -> bytes:
    """Write a message as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def message(text: bytes) -> Message:
    """Read a line."""
    found = json.loads(text)
    assert isinstance(found, dict), "a message is an object"
    return found


def told(error: BaseException) -> dict[str, Any]:
    """Write a failure down."""
    names = [cls.__name__ for cls in type(error).__mro__]
    if isinstance(error, RepatriaError):
        return {"names": names, "says": str(error.args[0]), "facts": error.facts}
    frames = traceback.extract_tb(error.__traceback__)
    passed = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return {"names": names, "passed": passed}


def failure(told: Message) -> Exception:
    """Return a failure that was written down elsewhere."""
    known = {cls.__name__: cls for cls in _family(RepatriaError)}
    if "facts" in told:
        cls = next(known[name] for name in told["names"] if name in known)
        error = cls.__new__(cls)
        RepatriaError.__init__(error, told["says"], **told["facts"])
        return error
    defect: Exception = type(told["names"][0], (Exception,), {})()
    defect.add_note("in another process, having passed:\n  " + "\n  ".join(told["passed"]))
    return defect


def meters_told(house: House) -> dict[str, dict[str, dict[str, float]]]:
    """Write down what passed through the stores since the last time, and begin anew."""
    return {
        site: {operation: asdict(count) for operation, count in meter.taken().items()}
        for site, meter in house.meters.items()
    }


def add_meters(house: House, told: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Add to the meters of ``house`` what passed in another process."""
    for site, counts in told.items():
        for operation, count in counts.items():
            house.meter(SiteName(site)).add(operation, Count(**count))


def _family(cls: type[RepatriaError]) -> Iterator[type[RepatriaError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _family(below)
