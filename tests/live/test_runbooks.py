"""Every command of a runbook is run, in order, in a world of the kind that its page is about.

A page's ``console`` blocks are its script. A line ``$ repatria …`` is a command; the lines below it
are found in what it says, in their order, with ``…`` for anything; ``$ echo $?`` asks for its exit
code, which is 0 where nobody asks. Comments say which world it is, and what happens meanwhile.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.command.app import app
from flows.command.screen.progress import Lines
from flows.wiring import open_house
from flows.world.sites import BACKUP, PRIMARY
from repatria.leasing import Tenancy
from tests.live import runbook_world
from tests.live.runbook_world import DUBLIN, FIRST, POSTS, SECOND, RunbookWorld, profiles

PAGES = sorted((Path(__file__).parents[2] / "docs" / "runbooks").glob("*.md"))
_EVENT = re.compile(r"<!-- (?:world|meanwhile): (.+?) -->|```console\n(.*?)```", re.DOTALL)


@dataclass
class Scene:
    """A world in the middle of a page."""

    it: RunbookWorld
    others: ExitStack = field(default_factory=ExitStack)

    def repatria(self, line: str) -> tuple[int, str]:
        """Run a command as it stands on the page; return its exit code and all that it said."""
        name, *arguments = shlex.split(line)
        assert name == "repatria", f"a page runs nothing but repatria: {line}"
        found = CliRunner().invoke(app, arguments)
        return found.exit_code, found.output

    def done(self, *lines: str) -> None:
        """Run commands that the page takes for granted."""
        for line in lines:
            code, said = self.repatria(line)
            assert code == 0, said

    def other_worker(self) -> None:
        """Hold every stripe of the newest plan, alive, until somebody says that they wait."""
        patch = self.others.enter_context(pytest.MonkeyPatch.context())
        heard = Lines.noticed

        def noticed(lines: Lines, what: str) -> None:
            heard(lines, what)
            self.others.close()

        patch.setattr(Lines, "noticed", noticed)
        house = self.others.enter_context(open_house(self.it.config))
        ledger = house.ledger()
        plan = ledger.plan()
        assert plan is not None
        for number in range(plan.stripe_count):
            tenancy = Tenancy(
                leases=ledger,
                holder="elsewhere/1/1",
                clock=house.clock,
                lease_s=0.3,
                dead=lambda _: False,
            )
            self.others.enter_context(tenancy.hold(f"live/{plan.digest[:16]}/{number}"))


def broken(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/c.parquet", b"PAR1")


def mended(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/c.parquet", profiles({"u7": "DE"}))


def intruder(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/d.parquet", profiles({"u8": "IE"}))
    scene.it.put("profiles/region=IE/2024/d.parquet", b"somebody else's", DUBLIN)


def cleared(scene: Scene) -> None:
    scene.it.delete("profiles/region=IE/2024/d.parquet", DUBLIN)


def changed(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/b.parquet", profiles({**SECOND, "u7": "DE"}, version=2))


def changed_again(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/b.parquet", profiles({**SECOND, "u7": "DE", "u8": "NO"}, 3))


def posts_arrive(scene: Scene) -> None:
    scene.it.mirror("posts/2024/n.jsonl", _posts(("u1", 10), ("u2", 11)))


def author_moves(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/a.parquet", profiles({**FIRST, "u1": "DE"}, version=2))


def posts_anew(scene: Scene) -> None:
    scene.it.mirror("posts/2024/n.jsonl", _posts(("u2", 11), ("u1", 10)))
    scene.it.mirror("posts/2024/a.jsonl", b"".join(reversed(POSTS.splitlines(keepends=True))))


def removed(scene: Scene) -> None:
    for site in (PRIMARY, BACKUP):
        scene.it.delete("profiles/2024/b.parquet", site)


def waiting(scene: Scene) -> None:
    good = _posts(("u1", 10))
    scene.it.mirror("posts/2024/b.jsonl", good + b"not a record\n" + _posts(("u9", 11)))
    scene.it.put("profiles/2024/left.parquet", profiles({"u8": "IE"}), BACKUP)


def profile_appears(scene: Scene) -> None:
    scene.it.mirror("profiles/2024/d.parquet", profiles({"u9": "DE"}))


def killed(scene: Scene) -> None:
    scene.it.dies()


def stores_gone(scene: Scene) -> None:
    runbook_world.end(scene.it)


def as_it_is(scene: Scene) -> None:
    """Change nothing."""


BEFORE: Mapping[str, Callable[[Scene], None]] = {
    "a broken object": broken,
    "records that wait": waiting,
}
"""What makes a world what its page says, before its plan is made."""

MEANWHILE: Mapping[str, Callable[[Scene], None]] = {
    "an object changed after the plan": changed,
    "a migration was killed": killed,
    "the object is mended": mended,
    "somebody writes into a home": intruder,
    "it is moved away": cleared,
    "it changes again": changed_again,
    "posts arrive": posts_arrive,
    "their author moves to another country": author_moves,
    "the posts are written anew": posts_anew,
    "it is removed": removed,
    "it is restored": changed_again,
    "the profile appears": profile_appears,
    "another worker is at it, and ends when it is waited for": Scene.other_worker,
    "the stores are gone": stores_gone,
}
"""What happens once there is a plan, and between two commands."""


def _posts(*them: tuple[str, int]) -> bytes:
    return b"".join(b'{"post_id": %d, "user_id": "%s"}\n' % (n, u.encode()) for u, n in them)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    it = runbook_world.fresh(tmp_path / "world")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    for name, value in it.variables.items():
        monkeypatch.setenv(name, value)
    made = Scene(it)
    yield made
    made.others.close()
    runbook_world.end(it)


def words(text: str) -> str:
    return " ".join(text.split())


def commands(block: str) -> Iterator[tuple[str, list[str], int]]:
    """Yield each command with what is shown of its output, and its exit code."""
    parts = re.split(r"^\s*\$ ", block, flags=re.MULTILINE)[1:]
    for at, part in enumerate(parts):
        line, _, shown = part.partition("\n")
        if line == "echo $?":
            continue
        asked = at + 1 < len(parts) and parts[at + 1].startswith("echo $?")
        code = int(parts[at + 1].split("\n")[1]) if asked else 0
        pieces = [words(piece) for piece in re.split("…|\n", shown)]
        yield line, [piece for piece in pieces if piece], code


def follow(scene: Scene, block: str) -> None:
    for line, shown, code in commands(block):
        ended, said = scene.repatria(line)
        assert ended == code, f"{line}\n{said}"
        rest = words(said)
        for piece in shown:
            assert piece in rest, f"{line} does not say: {piece}\n{said}"
            rest = rest.partition(piece)[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_page_does_what_the_page_says(page: Path, scene: Scene) -> None:
    first, *events = _EVENT.findall(page.read_text("utf-8"))
    BEFORE.get(first[0], as_it_is)(scene)
    scene.done("repatria init", "repatria plan")
    if first[0] not in BEFORE:
        MEANWHILE[first[0]](scene)
    for meanwhile, block in events:
        if block:
            follow(scene, block)
        else:
            MEANWHILE[meanwhile](scene)


def test_everything_that_happens_meanwhile_happens_on_some_page() -> None:
    named = {name for page in PAGES for name, _ in _EVENT.findall(page.read_text("utf-8")) if name}
    assert named == {*BEFORE, *MEANWHILE}


def test_a_command_is_read_with_its_output_and_its_exit_code() -> None:
    block = "$ repatria plan\n$ repatria verify\n one  two … three\n$ echo $?\n14\n"
    assert list(commands(block)) == [
        ("repatria plan", [], 0),
        ("repatria verify", ["one two", "three"], 14),
    ]
