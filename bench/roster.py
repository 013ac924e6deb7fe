"""Who is measured: what each runs before and while it is measured, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.measure import Command
from bench.seed import Form
from bench.stage import Stage

Commands = Callable[[Stage], Sequence[Command]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One contender. ``splits`` False: it copies every byte to one home.

    ``before`` is run and told apart (a plan); ``runs`` one after the other, and summed.
    """

    name: str
    verifies: bool
    forms: frozenset[Form]
    runs: Commands
    before: Commands = lambda _: ()
    splits: bool = True


def _script(module: str) -> Commands:
    return lambda stage: [stage.script(module)]


def _prepare(stage: Stage) -> Sequence[Command]:
    house = stage.household()
    house.furnish()
    return [house.command("init"), house.command("plan")]


def _migrate(stage: Stage) -> Sequence[Command]:
    return [stage.household().command("migrate", "--live")]


_PARQUET: Final = frozenset({Form.PARQUET})
_LINES: Final = frozenset({Form.JSONL, Form.JSONL_GZ})

ROSTER: Final = (
    Contender(
        name="repatria",
        verifies=True,
        forms=_PARQUET | _LINES,
        before=_prepare,
        runs=_migrate,
    ),
    Contender(name="polars", verifies=False, forms=_PARQUET, runs=_script("polars_split")),
)
"""In the order of the first round; every other round goes backwards."""


def contenders(form: Form, only: Sequence[str]) -> list[Contender]:
    """Return who takes part. Raises ``KeyError`` for a name that nobody has."""
    able = {one.name: one for one in ROSTER if form in one.forms}
    return [able[name] for name in only] if only else list(able.values())
