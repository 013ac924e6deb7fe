"""What Repatria keeps itself, as the configuration writes it: state, ledger, keys."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, StringConstraints, Tag

from repatria.config.loaded import KeyFile, KeysRef, KeyVariable, State
from repatria.config.strict_model import Country, FileText, Place, Strict

LEDGER_FILE: Final = "ledger.sqlite3"
KEY_FILE: Final = "repatria.key"
_SQLITE: Final = "sqlite:///"
_SCHEMES: Final = re.compile(r"(sqlite|postgresql)(\+[a-z0-9_]+)?\Z")


class StateModel(Strict):
    """Where Repatria keeps what it remembers."""

    folder: FileText
    """A folder; a relative one begins at the folder of the configuration."""

    jurisdiction: Country
    """Where that disk stands. Must be among `regions.enclave_jurisdictions`."""

    def noun(self, place: Place) -> State:
        """Return the noun of this model, its folder where ``place`` puts it."""
        return State(place(self.folder), self.jurisdiction)


def _ledger(url: str) -> str:
    parts = urlsplit(url)
    if not _SCHEMES.match(parts.scheme) or not url.startswith(f"{parts.scheme}://"):
        raise ValueError("expected sqlite:///file or postgresql://host/database")
    if parts.password is not None or "passw" in parts.query.lower():
        raise ValueError("expected no password; let ~/.pgpass or PGPASSFILE hold it")
    if parts.scheme == "sqlite" and (
        not url.startswith(_SQLITE) or url[len(_SQLITE) :] in ("", ":memory:")
    ):
        raise ValueError("expected sqlite:///file: a ledger in memory remembers nothing")
    return url


class LedgerModel(Strict):
    """The database that remembers plans, receipts and leases."""

    url: Annotated[str, StringConstraints(max_length=1024), AfterValidator(_ledger)]
    """`sqlite:///file` (a relative file begins at the folder of the configuration) or
    `postgresql://host/database`, without a password."""

    def at(self, place: Place) -> str:
        """Return the URL, a file of SQLite where ``place`` puts it."""
        if not self.url.startswith(_SQLITE):
            return self.url
        return f"{_SQLITE}{place(self.url[len(_SQLITE) :])}"


def default_ledger(state: State) -> str:
    """Return the URL of the ledger that nobody named: a file in the state folder."""
    return f"{_SQLITE}{state.folder / LEDGER_FILE}"


class KeyFileModel(Strict):
    """The secret key in a file of its own."""

    file: FileText
    """The file, made by `repatria init`; a relative one begins at the configuration's folder."""

    def noun(self, place: Place) -> KeysRef:
        """Return the noun of this model."""
        return KeyFile(place(self.file))


class KeyVariableModel(Strict):
    """The secret key in a variable of the environment."""

    environment: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
    """Name of the variable."""

    def noun(self, place: Place) -> KeysRef:
        """Return the noun of this model; ``place`` matters to files alone."""
        return KeyVariable(self.environment)


def _form(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    return next((f"<{key}>" for key in ("file", "environment") if key in value), None)


KeysModel = Annotated[
    Annotated[KeyFileModel, Tag("<file>")] | Annotated[KeyVariableModel, Tag("<environment>")],
    Discriminator(
        _form,
        custom_error_type="keys",
        custom_error_message="expected {file: path} or {environment: VARIABLE}",
    ),
]
