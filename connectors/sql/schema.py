"""The schema's version: making it, bringing it up to date, and refusing what is not ours.

Upgrading runs Alembic inside one write transaction, so that a crash leaves the old schema and two
of them at once take turns. Opening a ledger only compares versions, and does not load Alembic.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from connectors.sql.dialects import insert_into
from connectors.sql.postgresql import wait_as_long_as_it_takes
from connectors.sql.seal import Seal, Unsealed
from connectors.sql.store import Store
from connectors.sql.tables import about
from repatria.errors import ConfigRefused, Refused

REVISIONS: Final = ("0001", "0002", "0003")
"""Every version there has been, oldest first."""

_SEALED: Final = b"repatria ledger 1"
_VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", String))


def make(store: Store) -> None:
    """Make or renew the schema; what was done already is found done."""
    unmarked = replace(store, marks=None)  # There may be no table of marks yet.

    def made() -> None:
        with unmarked.writing() as connection:
            wait_as_long_as_it_takes(connection)
            upgrade(connection, store.seal)

    store.patience.attempt(made)


def upgrade(connection: Connection, seal: Seal) -> None:
    """Make or renew the schema, and give a new ledger its id and the mark of its seal."""
    _refuse_strangers(connection)
    _run_alembic(connection)
    facts = {"id": uuid.uuid4().hex}
    if not isinstance(seal, Unsealed):
        facts["seal"] = seal.seal(_SEALED).hex()
    if _fact(connection, "id") is None:
        rows = [{"name": name, "value": value} for name, value in facts.items()]
        connection.execute(insert_into(connection, about), rows)


def identify(connection: Connection, seal: Seal) -> str:
    """Return the ledger's id, if its schema and its seal are those that we know.

    Raises ``Refused`` for a schema that is absent or older, ``ConfigRefused`` for one that is
    newer and for another seal.
    """
    standing(_revision(connection))
    _same_seal(_fact(connection, "seal"), seal)
    found = _fact(connection, "id")
    if found is None:
        raise Refused("this ledger was never finished; run `repatria init`")
    return found


def standing(revision: str | None) -> None:
    """Let the newest version pass, and refuse every other, each with what to do."""
    if revision is None:
        raise Refused("there is no ledger here; make one with `repatria init`")
    if revision not in REVISIONS:
        raise ConfigRefused(
            "a newer Repatria made this ledger; use that one", schema=revision, known=REVISIONS[-1]
        )
    if revision != REVISIONS[-1]:
        raise Refused(
            "this ledger is older than the program; run `repatria init`",
            schema=revision,
            known=REVISIONS[-1],
        )


def _refuse_strangers(connection: Connection) -> None:
    revision = _revision(connection)
    if revision is not None and revision not in REVISIONS:
        standing(revision)
    if revision is None and inspect(connection).get_table_names():
        raise ConfigRefused("this database holds something else; give the ledger one of its own")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar()


def _fact(connection: Connection, name: str) -> str | None:
    return connection.execute(select(about.c.value).where(about.c.name == name)).scalar()


def _same_seal(mark: str | None, seal: Seal) -> None:
    if mark is None and not isinstance(seal, Unsealed):
        raise ConfigRefused("this ledger was made without a seal; make a new one to have one")
    if mark is not None and isinstance(seal, Unsealed):
        raise ConfigRefused("this ledger is sealed; give the key that it was made with")
    if mark is not None:
        seal.open(bytes.fromhex(mark))


def _run_alembic(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  Alembic loads slowly, and only `init` needs it.
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", _escaped(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")
