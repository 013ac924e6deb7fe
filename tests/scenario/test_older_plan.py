"""A run of an older plan that goes on while a newer plan is worked through brings nothing back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repatria.batch import Batch
from repatria.campaign import Campaign
from repatria.errors import FenceLost
from repatria.names import DatasetName, SiteName
from repatria.ports.ledger import RunState
from repatria.stripe import StripeWork
from tests.scenario.enclave import Enclave, of_notes

MOVING = (("i1", "IE"), ("g1", "DE"), ("u1", "US"))
STAYING = (("u1", "US"), ("u2", "US"))


class _Overtaken:
    """A source: right after its first batch was read, something happens."""

    def __init__(self, source: Any, happens: Callable[[], object]) -> None:
        self._source, self._waiting = source, [happens]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def batches(self, *given: Any) -> Iterator[Batch]:
        for batch in self._source.batches(*given):
            if self._waiting:
                self._waiting.pop()()
            yield batch


def overtaken(campaign: Campaign, happens: Callable[[], object]) -> Campaign:
    def work(name: DatasetName, site: SiteName) -> StripeWork:
        found = campaign.work(name, site)
        return replace(found, source=_Overtaken(found.source, happens))

    return replace(campaign, work=work)


def names(enclave: Enclave) -> set[str]:
    return {name for _, _, name in enclave.trusted()}


@pytest.mark.parametrize("before", [None, STAYING], ids=["new", "known"])
@pytest.mark.parametrize("newer", [STAYING[:1], (*STAYING, ("i2", "IE"))], ids=["empty", "other"])
def test_what_was_removed_since_does_not_come_back(
    tmp_path: Path,
    before: tuple[tuple[str, str], ...] | None,
    newer: tuple[tuple[str, str], ...],
) -> None:
    """The newer version may have no parcel at all that the older one could be seen to forget."""
    enclave = of_notes(tmp_path)
    if before is not None:
        enclave.note("a.jsonl", *before)
        assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    enclave.note("a.jsonl", *MOVING)
    older = enclave.campaign(enclave.plan())

    def happens() -> None:
        enclave.note("a.jsonl", *newer)
        assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE

    with pytest.raises(FenceLost):
        enclave.run(overtaken(older, happens))
    wanted = {name for name, country in newer if country == "IE"}
    assert names(enclave) == wanted
    (receipt,) = enclave.ledger.receipts()
    assert receipt.read == len(newer)
    assert enclave.migrate(enclave.plan()).state is RunState.COMPLETE
    assert names(enclave) == wanted


def test_an_older_plan_goes_on_where_nothing_newer_was_committed(tmp_path: Path) -> None:
    enclave = of_notes(tmp_path)
    enclave.note("a.jsonl", *STAYING)
    enclave.migrate(enclave.plan())
    enclave.note("a.jsonl", *MOVING)
    older = enclave.campaign(enclave.plan())

    def happens() -> None:
        enclave.note("b.jsonl", ("n1", "NO"))

    assert enclave.run(overtaken(older, happens)).state is RunState.INCOMPLETE, "b.jsonl is new"
    assert names(enclave) == {"i1", "g1"}
