"""What must hold after every trial, told by plain Python over what plain clients read.

``docs/reliability.md`` has the list. Of the engine's own word only the receipts are used, and they
must agree with what the stores hold.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from flows.wiring import open_house
from repatria.ports.ledger import RunState
from repatria.receipt import Receipt
from tests.fire.driving import Driver, Ended
from tests.fire.world import HOME, HOMES, REGIONS, STANDBY, FireWorld, Ground, bucket
from tests.live import witness
from tests.live.settings import DATASETS
from tests.live.witness import Records, Witness
from tests.unit.world_oracle import Account

INCOMPLETE: Final = 14
"""How every trial ends well: all has moved, and some records wait for a person."""
DIFFER: Final = ("missing", "extra", "altered", "unverified")
BESIDE: Final = ("strays", "unlisted", "unplanned", "drifted", "failures")
"""What a verification finds beside the comparison of records: all of it must be nothing."""


@dataclass
class Judge:
    """Knows from the bytes at the legacy sites what must have become of each record."""

    world: FireWorld
    driver: Driver
    legacy: str = field(init=False)
    wanted: dict[str, Records] = field(init=False)
    accounts: dict[str, Account] = field(init=False)

    def __post_init__(self) -> None:
        self.legacy = self.world.legacy()
        oracle = Witness(self.world.objects, REGIONS)
        self.accounts = {name: oracle.account(name) for name in DATASETS}
        self.wanted = {}
        for (dataset, region), rows in oracle.moving.items():
            for site in {HOME[region], STANDBY.get(region, HOME[region])}:
                self.wanted.setdefault(site, {})[dataset, region] = rows

    def finishes(self, ground: Ground) -> Ended:
        """Run the one command again to its end."""
        ended = self.driver.run(ground.config, "migrate", "--live")
        assert ended.code == INCOMPLETE, (ended.code, ended.said)
        assert "Moved as far as it goes" in ended.said, ended.said
        return ended

    def holds(self, ground: Ground, *, verify: bool = True) -> None:
        """Check all that must hold once the command has been run to its end."""
        assert self.world.legacy() == self.legacy, "somebody wrote to a legacy site"
        assert self._homes() == self.wanted, "the homes do not hold what the rules say"
        with open_house(ground.config) as house:
            ledger = house.ledger(read_only=True)
            receipts = list(ledger.receipts())
            kept = {
                (str(entry.kept_site), entry.kept.key)
                for entry in ledger.waiting()
                if entry.kept is not None
            }
            told = [entry for _, entry in ledger.entries(0, 100_000)]
            run = ledger.runs(1)[0]
            assert not ledger.failures()
        assert not [it.name for it in ground.state.rglob("*~*")], "something unfinished was left"
        self._books(receipts)
        self._put_once(receipts, kept)
        assert len(told) == len(set(told)) == len(receipts), "a batch is told other than once"
        assert run.state is RunState.INCOMPLETE
        assert [run.summary[it] for it in ("unfinished", "new", "changed", "gone")] == [0] * 4
        if verify:
            self._verified(ground)

    def _homes(self) -> dict[str, Records]:
        seen: dict[str, Records] = {}
        for site in HOMES:
            for where in ((name, region) for name in DATASETS for region in REGIONS):
                front = f"{where[0]}/region={where[1]}/"
                if (found := witness.at(self.world.s3, bucket(site), front)) is not None:
                    seen.setdefault(site, {})[where] = found
        return seen

    def _books(self, receipts: list[Receipt]) -> None:
        """Add up the receipts, and compare them with an account kept by hand."""
        for name, account in self.accounts.items():
            mine = [receipt.checked() for receipt in receipts if receipt.dataset == name]
            sums = Counter[str]()
            for it in mine:
                sums += Counter(read=it.read, erased=it.erased, superseded=it.superseded)
                sums += Counter(moved=it.moved, quarantined=it.quarantined, stayed=it.stayed)
            assert +sums == +Counter(
                read=account.read,
                moved=account.moved.total(),
                superseded=account.superseded,
                quarantined=account.waiting.total(),
                stayed=account.stayed,
            ), name

    def _put_once(self, receipts: list[Receipt], kept: set[tuple[str, str]]) -> None:
        """Check that nothing stands at home but what is named, and no parcel was put twice."""
        named = {(str(line.site), line.object.key) for it in receipts for line in it.lines}
        assert len(named) == sum(len(it.lines) for it in receipts), "two receipts name one parcel"
        standing: Counter[tuple[str, str]] = Counter()
        for site in HOMES:
            for key, _, _ in self.world.versions(site):
                if not key.startswith(witness.TRIED) and not key.endswith(witness.MANIFEST):
                    standing[site, key] += 1
        assert set(standing) == named | kept, "something stands at home that nothing names"
        assert {it for it, count in standing.items() if count > 1} == set(), "it was put twice"

    def _verified(self, ground: Ground) -> None:
        ended = self.driver.run(ground.config, "verify", "--json")
        assert ended.code == INCOMPLETE, (ended.code, ended.said)
        said: dict[str, Any] = json.loads(ended.out)
        sums = Counter[str]()
        for found in said["sums"]:
            sums += Counter({it: found[it] for it in ("matched", *DIFFER)})
        moved = sum(account.moved.total() for account in self.accounts.values())
        assert sums == {"matched": moved}, "verification says other than the rules"
        assert [said[it] for it in BESIDE] == [0] * len(BESIDE), said
