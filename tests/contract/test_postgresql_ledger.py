from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.sql.ledger import SqlLedger, open_ledger
from connectors.sql.seal import AesGcmSeal, Seal
from repatria.ports.ledger import Ledger
from tests.contract.ledger_claims_contract import LedgerClaimsContract
from tests.contract.ledger_contract import (
    LedgerContract,
)
from tests.contract.ledger_decisions_contract import LedgerDecisionsContract
from tests.contract.ledger_versions_contract import LedgerVersionsContract
from tests.postgres import Postgres

KEY = bytes(range(32))


def made(server: Postgres, seal: Seal | None = None) -> str:
    """Make a database that holds an empty ledger; return its name."""
    name = server.database()
    open_ledger(server.url(name), create=True, seal=seal).close()
    return name


@pytest.fixture(scope="module")
def plain(postgres: Postgres) -> str:
    return made(postgres)


@pytest.fixture(scope="module")
def sealed(postgres: Postgres) -> str:
    return made(postgres, AesGcmSeal(KEY))


@pytest.fixture
def url(postgres: Postgres, plain: str) -> str:
    """The URL of a ledger that holds nothing."""
    postgres.empty(plain)
    return postgres.url(plain)


@pytest.fixture
def ledger(url: str) -> Iterator[SqlLedger]:
    with open_ledger(url) as found:
        yield found


class TestPostgresqlLedger(
    LedgerContract, LedgerClaimsContract, LedgerDecisionsContract, LedgerVersionsContract
):
    """Sealed, as every live one is."""

    @pytest.fixture
    def ledger(self, postgres: Postgres, sealed: str) -> Iterator[Ledger]:
        postgres.empty(sealed)
        with open_ledger(postgres.url(sealed), seal=AesGcmSeal(KEY)) as found:
            yield found
