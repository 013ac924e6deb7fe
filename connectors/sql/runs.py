"""Runs: what was started, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from connectors.sql.dialects import insert_into
from connectors.sql.patience import patient
from connectors.sql.shelf import Shelf
from connectors.sql.tables import runs
from repatria.names import PlanDigest, RunId
from repatria.ports.ledger import Run, RunState


class SqlRuns(Shelf):
    """The ``Runs`` port."""

    @patient
    def begin(self, run: Run) -> None:
        row = {
            "id": run.id,
            "verb": run.verb,
            "mode": run.mode,
            "plan": run.plan,
            "config_digest": run.config_digest,
            "began_at": run.began_at,
            "ended_at": run.ended_at,
            "state": run.state.value,
            "summary": json.dumps(dict(run.summary)),
        }
        with self._store.writing_beside() as connection:
            insert = insert_into(connection, runs).values(row)
            connection.execute(insert.on_conflict_do_nothing(index_elements=[runs.c.id]))

    @patient
    def end(self, run: RunId, state: RunState, at: datetime, summary: Mapping[str, object]) -> None:
        values = {"state": state.value, "ended_at": at, "summary": json.dumps(dict(summary))}
        with self._store.writing_beside() as connection:
            change = update(runs).where(runs.c.id == run).values(values)
            assert connection.execute(change).rowcount == 1, "a run ends after it began"

    @patient
    def runs(self, limit: int = 50) -> Sequence[Run]:
        query = select(runs).order_by(runs.c.number.desc()).limit(limit)
        with self._store.reading() as connection:
            return [_run(row) for row in connection.execute(query)]


def _run(row: Row[Any]) -> Run:
    return Run(
        id=RunId(row.id),
        verb=row.verb,
        mode=row.mode,
        plan=PlanDigest(row.plan) if row.plan is not None else None,
        config_digest=row.config_digest,
        began_at=row.began_at,
        ended_at=row.ended_at,
        state=RunState(row.state),
        summary=json.loads(row.summary),
    )
