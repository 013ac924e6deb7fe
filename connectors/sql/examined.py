"""What a server of PostgreSQL is asked by the doctor, and what its answers mean for the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import column, func, select, table

from connectors.sql.store import Store
from repatria.finding import Finding, Grade

OLDEST: Final = 13
"""The oldest version whose behaviour is relied upon; releases before it get no more corrections."""

_TLS: Final = table("pg_stat_ssl", column("pid"), column("ssl"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server, as it tells of itself."""

    version: int  #: As a number: 150008 is 15.8.
    encoding: str
    replica: bool
    fsync: str
    full_page_writes: str
    far: bool  #: Reached over a network that is not this machine's own.
    tls: bool


def server_of(store: Store) -> Server | None:
    """Ask the server of a ledger; None where the ledger is a file."""
    if store.engine.dialect.name == "sqlite":
        return None
    here = func.coalesce(func.host(func.inet_server_addr()), "127.0.0.1")
    tls = select(_TLS.c.ssl).where(_TLS.c.pid == func.pg_backend_pid()).scalar_subquery()
    asked = select(
        func.current_setting("server_version_num"),
        func.current_setting("server_encoding"),
        func.pg_is_in_recovery(),
        func.current_setting("fsync"),
        func.current_setting("full_page_writes"),
        here,
        func.coalesce(tls, False),
    )
    with store.reading() as connection:
        number, encoding, replica, fsync, pages, address, secure = connection.execute(asked).one()
    return Server(
        version=int(number),
        encoding=encoding,
        replica=replica,
        fsync=fsync,
        full_page_writes=pages,
        far=not (address.startswith("127.") or address == "::1"),
        tls=secure,
    )


def findings(server: Server) -> Iterator[Finding]:
    """Say what a server's settings mean, one finding each for what is not as it should be."""
    number, minor = divmod(server.version, 10_000)
    told = f"PostgreSQL {number}.{minor}, encoding {server.encoding}"
    well = number >= OLDEST
    means = "" if well else f"nothing older than {OLDEST} is tried; upgrade the server"
    yield Finding("ledger: server", Grade.WELL if well else Grade.CARE, told, means)
    if server.encoding != "UTF8":
        means = "labels cannot be kept; make the database anew with ENCODING 'UTF8'"
        yield Finding("ledger: encoding", Grade.ILL, f"is {server.encoding}", means)
    if server.replica:
        means = "a replica takes no writes; name the primary in `ledger.url`"
        yield Finding("ledger: role", Grade.ILL, "is a replica", means)
    for name in ("fsync", "full_page_writes"):
        if getattr(server, name) != "on":
            means = "receipts that were committed can be lost or damaged; turn it on"
            yield Finding(f"ledger: {name}", Grade.ILL, "is off", means)
    if server.far and not server.tls:
        means = "whoever is in between can read and change it; add `?sslmode=verify-full`"
        yield Finding("ledger: connection", Grade.CARE, "is not encrypted", means)
