"""Who is measured: what each runs before and while it is measured, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench.contenders.order import KEY, SECRET
from bench.measure import Command
from bench.seed import BUCKET, PREFIX, Form
from bench.stage import Stage

Commands = Callable[[Stage], Sequence[Command]]


def _at_home(stage: Stage, home: str) -> tuple[str, str]:
    """Return the bucket and the prefix where a home's records lie: its own bucket's."""
    return stage.homes[home], PREFIX


def _in_tables(stage: Stage, home: str) -> tuple[str, str]:
    """Return where dlt puts them: a table per home, all in the first home's bucket."""
    return next(iter(stage.homes.values())), f"{PREFIX}{home.replace('-', '_')}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One contender. ``splits`` False: it copies every byte to one home.

    ``before`` is run and told apart (a plan); ``runs`` one after the other, and summed. ``lies``
    says in which bucket, under which prefix, a home's records stand then.
    """

    name: str
    verifies: bool
    forms: frozenset[Form]
    runs: Commands
    before: Commands = lambda _: ()
    splits: bool = True
    lies: Callable[[Stage, str], tuple[str, str]] = _at_home


def _script(module: str) -> Commands:
    return lambda stage: [stage.script(module)]


def _prepare(stage: Stage) -> Sequence[Command]:
    house = stage.household()
    house.furnish()
    return [house.command("init"), house.command("plan")]


def _migrate(stage: Stage) -> Sequence[Command]:
    return [stage.household().command("migrate", "--live")]


def _s5cmd(stage: Stage) -> Sequence[Command]:
    """Copy every object down and up again, as between two clouds."""
    order, home = stage.order, next(iter(stage.homes))
    said = ["--endpoint-url", order.endpoint, "--log", "error", "cp"]
    return [
        stage.tool("s5cmd", *said, f"{order.source}*", f"{order.scratch}/"),
        stage.tool("s5cmd", *said, f"{order.scratch}/", order.written(home)),
    ]


def _rclone(stage: Stage) -> Sequence[Command]:
    """Stream every object from one remote to another, and let rclone compare both."""
    order = stage.order
    here, there = f"from:{BUCKET}", f"to:{next(iter(stage.homes.values()))}"
    said = ["--config", _remotes(stage), "--log-level", "ERROR"]
    return [
        stage.tool("rclone", "copy", f"{here}/{order.prefix}", f"{there}/{order.prefix}", *said),
        stage.tool("rclone", "check", f"{here}/{order.prefix}", f"{there}/{order.prefix}", *said),
    ]


def _remotes(stage: Stage) -> str:
    """Write down two remotes: with one, rclone would let the server copy."""
    lines = (
        f"[{name}]\ntype = s3\nprovider = Other\nendpoint = {stage.store.endpoint}\n"
        f"access_key_id = {KEY}\nsecret_access_key = {SECRET}\nforce_path_style = true\n"
        for name in ("from", "to")
    )
    file = stage.folder / "rclone.conf"
    file.write_text("".join(lines), "utf-8")
    return str(file)


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
    Contender(name="polars", verifies=False, forms=_LINES, runs=_script("polars_lines")),
    Contender(name="polars+verify", verifies=True, forms=_PARQUET, runs=_script("polars_verify")),
    Contender(name="daft", verifies=False, forms=_PARQUET, runs=_script("daft_split")),
    Contender(
        name="dlt",
        verifies=False,
        forms=_PARQUET,
        runs=_script("dlt_split"),
        lies=_in_tables,
    ),
    Contender(name="s5cmd", verifies=False, forms=_PARQUET, runs=_s5cmd, splits=False),
    Contender(name="rclone", verifies=True, forms=_PARQUET, runs=_rclone, splits=False),
)
"""In the order of the first round; every other round goes backwards."""


def contenders(form: Form, only: Sequence[str]) -> list[Contender]:
    """Return who takes part. Raises ``KeyError`` for a name that nobody has."""
    able = {one.name: one for one in ROSTER if form in one.forms}
    return [able[name] for name in only] if only else list(able.values())
