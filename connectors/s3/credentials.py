"""Credentials by reference: which profile, which environment variables, which role.

No secret is ever a value here. The instance metadata service is never asked: a migration that
runs as "whatever this machine happens to be" cannot be accounted for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
    EnvProvider,
)
from botocore.session import Session


@dataclass(frozen=True, slots=True)
class FromProfile:
    """A profile of the AWS configuration files."""

    name: str


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """``<prefix>ACCESS_KEY_ID``, ``<prefix>SECRET_ACCESS_KEY`` and ``<prefix>SESSION_TOKEN``."""

    prefix: str = "AWS_"


@dataclass(frozen=True, slots=True)
class FromChain:
    """Whatever the SDK finds by itself, the instance metadata service excepted."""


@dataclass(frozen=True, slots=True)
class FromRole:
    """A role to assume, with the credentials of ``source``."""

    arn: str
    external_id: str | None = None
    session_name: str = "repatria"
    source: FromProfile | FromEnvironment | FromChain = FromChain()


Credentials = FromProfile | FromEnvironment | FromChain | FromRole

_METADATA_SERVICE: Final = "iam-role"


def session_with(credentials: Credentials, region: str, quiet: Config) -> Session:
    """Return an SDK session that knows these credentials and no others.

    ``quiet`` configures the client that assumes a role, which is made when it is first needed.
    """
    source = credentials.source if isinstance(credentials, FromRole) else credentials
    profile = source.name if isinstance(source, FromProfile) else None
    session = Session(profile=profile)
    _isolate(session, region)
    if isinstance(source, FromEnvironment):
        session.register_component("credential_provider", CredentialResolver([_environ(source)]))
    else:
        session.get_component("credential_provider").remove(_METADATA_SERVICE)
    return _assuming(session, credentials, quiet) if isinstance(credentials, FromRole) else session


def _isolate(session: Session, region: str) -> None:
    """Let no setting of the environment say where requests go or who is told of them."""
    session.set_config_variable("region", region)
    session.set_config_variable("csm_enabled", value=False)
    session.set_config_variable("ignore_configured_endpoint_urls", value=True)


def _environ(source: FromEnvironment) -> EnvProvider:
    names = {
        "access_key": "ACCESS_KEY_ID",
        "secret_key": "SECRET_ACCESS_KEY",
        "token": "SESSION_TOKEN",
    }
    return EnvProvider(mapping={name: f"{source.prefix}{tail}" for name, tail in names.items()})


def _assuming(source: Session, role: FromRole, quiet: Config) -> Session:
    region = source.get_config_variable("region")
    session = Session()
    _isolate(session, region)
    provider = _RoleProvider(source, role, quiet)
    session.register_component("credential_provider", CredentialResolver([provider]))
    return session


class _RoleProvider(CredentialProvider):
    """Assumes a role when credentials are first needed, and again before they expire."""

    METHOD = "repatria-assume-role"

    def __init__(self, source: Session, role: FromRole, quiet: Config) -> None:
        super().__init__()
        self._source = source
        self._role = role
        self._quiet = quiet

    def load(self) -> DeferredRefreshableCredentials | None:
        held = self._source.get_credentials()
        if held is None:
            return None
        extra = {"RoleSessionName": self._role.session_name}
        if self._role.external_id is not None:
            extra["ExternalId"] = self._role.external_id
        fetcher = AssumeRoleCredentialFetcher(
            partial(self._source.create_client, config=self._quiet),
            held,
            self._role.arn,
            extra_args=extra,
            mfa_prompter=_no_prompt,
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)


def _no_prompt(_question: str) -> str:
    """Nobody sits in front of a migration: a role that wants a second factor is refused."""
    raise PermissionError("the role asks for a second factor")
