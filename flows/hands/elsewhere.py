"""What stripes that were run in another process came to: a report that crosses as counts and names.

Whoever ran them there had no screen; whoever reads the report tells it to those that have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from repatria.names import DatasetName
from repatria.stripe import Tally

if TYPE_CHECKING:
    from flows.conduct import Watches


@dataclass(slots=True)
class Report:
    """What was heard while stripes were run; heard like any other progress."""

    tally: Tally = field(default_factory=Tally)
    batches: dict[str, list[int]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    meters: Mapping[str, Any] = field(default_factory=dict)

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        before = self.batches.get(dataset, [0, 0, 0])
        self.batches[dataset] = [before[0] + read, before[1] + moved, before[2] + bytes_read]

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        if failed is None:
            self.done[dataset] = self.done.get(dataset, 0) + 1
        else:
            self.failed.append((dataset, label, failed))

    def noticed(self, what: str) -> None:
        """Hear of a process that was replaced."""
        self.notices.append(what)

    def told(self) -> dict[str, Any]:
        """Write it down as JSON's own types."""
        return asdict(self)

    @classmethod
    def heard(cls, told: Mapping[str, Any]) -> Report:
        """Read what ``told`` wrote."""
        failed = [(dataset, label, why) for dataset, label, why in told["failed"]]
        return cls(**{**told, "tally": Tally(**told["tally"]), "failed": failed})

    def tell(self, watcher: Watches) -> None:
        """Tell a watcher all of it, as if it had happened here."""
        for what in self.notices:
            watcher.noticed(what)
        for dataset, (read, moved, bytes_read) in self.batches.items():
            watcher.batch(DatasetName(dataset), read, moved, bytes_read)
        for dataset, label, why in self.failed:
            watcher.slice_done(DatasetName(dataset), label, why)
        for dataset, count in self.done.items():
            for _ in range(count):
                watcher.slice_done(DatasetName(dataset), "", None)
        watcher.passed_over(max(0, self.tally.done - sum(self.done.values())))
