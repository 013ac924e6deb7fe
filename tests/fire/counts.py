"""How often what was tried: told at the end of every run, so that nobody need take our word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Count:
    """What was tried of one kind. ``struck`` counts kills, stops and refusals that really came."""

    trials: int = 0
    struck: int = 0
    violations: list[str] = field(default_factory=list)


@dataclass
class Counts:
    """All kinds, in the order in which they were first tried."""

    kinds: dict[str, Count] = field(default_factory=dict)

    def of(self, kind: str) -> Count:
        """Return the count of one kind."""
        return self.kinds.setdefault(kind, Count())

    @contextmanager
    def trial(self, kind: str, what: str) -> Iterator[Count]:
        """Count one trial. A check that failed, or could not be made, is a violation: it is noted,
        and raised again."""
        count = self.of(kind)
        count.trials += 1
        try:
            yield count
        except Exception as error:
            told = next(iter(str(error).splitlines()), "")
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            count.violations.append(f"{what}: {kind}{told or '?'}")
            raise

    def told(self) -> dict[str, Any]:
        """Write them down as JSON's own types, for another process."""
        return {kind: asdict(count) for kind, count in self.kinds.items()}

    def heard(self, told: Mapping[str, Any]) -> None:
        """Add what another process told."""
        for kind, count in told.items():
            mine = self.of(kind)
            mine.trials += count["trials"]
            mine.struck += count["struck"]
            mine.violations += count["violations"]

    @property
    def kills(self) -> int:
        return sum(it.struck for name, it in self.kinds.items() if name.startswith("killed"))

    @property
    def violations(self) -> int:
        return sum(len(it.violations) for it in self.kinds.values())

    def table(self) -> list[str]:
        """Return a table: kind, trials, how often it struck, violations."""
        width = max(map(len, self.kinds), default=4)
        return [
            f"{name:<{width}}  {it.trials:>6} trials  {it.struck:>6} struck"
            f"  {len(it.violations)} violations"
            for name, it in self.kinds.items()
        ]


COUNTS = Counts()
"""Those of this process."""
