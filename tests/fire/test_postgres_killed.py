"""The server of the ledger is killed under live migrations, and nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fire.postgres import firing
from tests.postgres import NOT_RUN, programs

KILLS = 3


@pytest.mark.skipif(programs() is None, reason=NOT_RUN)
def test_a_migration_outlives_the_server_of_its_ledger_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "no-profiles.toml"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("LIVE_TEST_ACCESS_KEY_ID", "AKIAFIRE")
    monkeypatch.setenv("LIVE_TEST_SECRET_ACCESS_KEY", "not a secret")
    with firing(tmp_path, seed=1) as fire:
        while fire.counts.kills < KILLS:
            fire.trial(KILLS - fire.counts.kills)
        assert fire.counts.carried_on + fire.counts.stopped > 0
