"""Whether a commit whose answer was lost had happened: each leaves a mark that can be asked for.

A writer has one row, and a commit raises its number in the transaction that it is about. Asking
takes the row's lock, and so waits for a transaction that the server has not given up yet. The
server's own numbers of transactions would not do: after a crash it may give one out again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, delete

from connectors.sql.dialects import insert_into
from connectors.sql.tables import marks


@dataclass(slots=True)
class Marks:
    """The marks of one writer, who commits one transaction at a time."""

    writer: str = field(default_factory=lambda: secrets.token_hex(16))
    number: int = 0

    def leave(self, connection: Connection) -> None:
        """Mark the transaction of ``connection``, which is about to commit."""
        self.number += 1
        row = insert_into(connection, marks).values(writer=self.writer, number=self.number)
        again = row.on_conflict_do_update(
            index_elements=[marks.c.writer], set_={"number": row.excluded.number}
        )
        connection.execute(again)

    def stands(self, engine: Engine) -> bool:
        """Say whether the transaction that was marked last has committed; waits until it ended."""
        with engine.begin() as connection:
            row = insert_into(connection, marks).values(writer=self.writer, number=0)
            same = row.on_conflict_do_update(
                index_elements=[marks.c.writer], set_={"writer": row.excluded.writer}
            )
            found = connection.execute(same.returning(marks.c.number)).scalar_one()
        return bool(found == self.number)

    def remove(self, engine: Engine) -> None:
        """Forget the writer, who commits nothing more."""
        with engine.begin() as connection:
            connection.execute(delete(marks).where(marks.c.writer == self.writer))
