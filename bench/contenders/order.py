"""What a contender is asked to do: read a prefix, keep Europe, part it by home, write it there.

Needs the standard library alone, for contenders run in an environment of their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

KEY, SECRET = "bench", "not-a-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The work. ``countries`` names those of each home, and ``homes`` the bucket of each."""

    endpoint: str
    bucket: str
    prefix: str
    form: str
    homes: Mapping[str, str]
    countries: Mapping[str, Sequence[str]]
    codec: str
    level: int
    gzip_level: int
    scratch: str

    @property
    def source(self) -> str:
        """The prefix that is read."""
        return f"s3://{self.bucket}/{self.prefix}"

    def written(self, home: str) -> str:
        """Return the prefix that a home's records are written to."""
        return f"s3://{self.homes[home]}/{self.prefix}"

    def save(self, file: Path) -> None:
        """Write the order down."""
        file.write_text(json.dumps(asdict(self)), "utf-8")


def ordered() -> Order:
    """Return the order in the file that the command line names."""
    return Order(**json.loads(Path(sys.argv[1]).read_text("utf-8")))
