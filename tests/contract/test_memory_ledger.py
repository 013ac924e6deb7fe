from __future__ import annotations

import pytest

from connectors.memory.ledger import MemoryLedger
from repatria.ports.ledger import Ledger
from tests.contract.ledger_claims_contract import LedgerClaimsContract
from tests.contract.ledger_contract import LedgerContract
from tests.contract.ledger_decisions_contract import LedgerDecisionsContract
from tests.contract.ledger_versions_contract import LedgerVersionsContract


class TestMemoryLedger(
    LedgerContract, LedgerClaimsContract, LedgerDecisionsContract, LedgerVersionsContract
):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()
