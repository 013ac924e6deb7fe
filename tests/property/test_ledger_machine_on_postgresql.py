"""The same machine on PostgreSQL: whatever is done to it, it answers as the ledger in memory."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings

from connectors.sql.ledger import SqlLedger, open_ledger
from tests.postgres import Postgres
from tests.property import test_ledger_machine


class OnPostgresql(test_ledger_machine.TwoLedgers):
    server: ClassVar[Postgres]
    database: ClassVar[str]

    def opened(self) -> SqlLedger:
        self.server.empty(self.database)
        return open_ledger(self.server.url(self.database))


@pytest.fixture(autouse=True, scope="module")
def running(postgres: Postgres) -> None:
    OnPostgresql.server, OnPostgresql.database = postgres, postgres.database()
    open_ledger(postgres.url(OnPostgresql.database), create=True).close()


TestOnPostgresql = OnPostgresql.TestCase
TestOnPostgresql.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
