"""What every ``Ledger`` must do when several ask for the next lease that is free."""

from __future__ import annotations

import threading

import pytest

from repatria.errors import FenceLost
from repatria.ports.ledger import Ledger
from tests.contract.ledger_contract import IE, line, receipt


class LedgerClaimsContract:
    def test_a_claim_is_the_first_lease_that_nobody_holds(self, ledger: Ledger) -> None:
        names = [f"a/{number}" for number in (10, 9, 8, 7)]  # Their order, and not the alphabet's.
        other = ledger.take("a/10", "other", None)
        first, second = ledger.claim(names, "me"), ledger.claim(names, "me")
        assert other is not None
        assert first is not None
        assert second is not None
        assert [first.name, second.name] == ["a/9", "a/8"]
        assert ledger.look("a/9") == ("me", first.fence, 0)
        ledger.release(other)
        again = ledger.claim(names, "me")
        assert again is not None
        assert (again.name, again.fence) == ("a/10", other.fence + 1)

    def test_where_all_is_held_nothing_can_be_claimed(self, ledger: Ledger) -> None:
        assert ledger.claim([], "me") is None
        assert ledger.claim(["a/1"], "me") is not None
        seen = ledger.look("a/1")
        assert ledger.claim(["a/1", "a/1"], "you") is None
        assert ledger.look("a/1") == seen

    def test_a_lease_that_was_claimed_is_one_like_any_other(self, ledger: Ledger) -> None:
        lease = ledger.claim(["a/1"], "me")
        assert lease is not None
        ledger.beat(lease)
        ledger.commit(receipt(1, line(IE, 1)), lease, [b"one"])
        newer = ledger.take("a/1", "you", (lease.fence, 1))
        assert newer is not None
        with pytest.raises(FenceLost):
            ledger.commit(receipt(2, line(IE, 1)), lease, [b"two"])

    def test_claims_find_what_is_free_among_very_many(self, ledger: Ledger) -> None:
        names = [f"a/{number}" for number in range(1203)]
        for name in (names[0], names[1], names[1200]):
            assert ledger.take(name, "other", None) is not None
        lease = ledger.claim([*names[:2], *names[1200:]], "me")
        assert lease is not None
        assert lease.name == "a/1201"

    def test_threads_that_claim_at_once_get_each_lease_once(self, ledger: Ledger) -> None:
        names = [f"a/{number}" for number in range(12)]
        together = threading.Barrier(4)
        taken: list[str] = []

        def claim() -> None:
            together.wait()
            while (lease := ledger.claim(names, threading.current_thread().name)) is not None:
                taken.append(lease.name)

        workers = [threading.Thread(target=claim) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sorted(taken) == sorted(names)
