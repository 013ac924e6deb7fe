"""Two commands on one plan at the same time share its stripes, and both end well."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.wiring import open_house
from flows.world.servers import World
from repatria.ports.ledger import RunState
from tests.live import settings
from tests.live.console import Console, ended
from tests.live.test_killed import INCOMPLETE, Move, holds
from tests.live.witness import Records, Witness, laid
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def expected(lived_in: World) -> Records:
    return Witness(laid(lived_in), settings.regions()).expected(settings.DATASETS)


def test_two_runs_at_once_share_the_work_and_neither_disturbs_the_other(
    lived_in: World,
    console: Console,
    tmp_path: Path,
    expected: Records,
    postgres: Postgres,
) -> None:
    root = f"{tmp_path.name}/"
    tree = settings.of_world(lived_in, root)
    tree["limits"] |= {"lease_s": 15, "stripe_slices": 3}
    tree["ledger"] = {"url": postgres.url(postgres.database())}
    settings.write(tmp_path, tree)
    console.expect(0, "init")
    console.expect(0, "plan")
    move = Move(lived_in, console, root)
    both = [move.start(), move.start()]
    done = [ended(process) for process in both]
    assert [ran.code for ran in done] == [INCOMPLETE] * 2, [ran.said for ran in done]
    holds(move, expected)
    with open_house(console.config) as house:
        runs = house.ledger(read_only=True).runs()
    assert [run.state for run in runs] == [RunState.INCOMPLETE] * 2
    shares = [int(str(run.summary["moved"])) for run in runs]
    assert min(shares) > 0, "each did some of it"
    assert sum(shares) == sum(rows.total() for rows in expected.values())
