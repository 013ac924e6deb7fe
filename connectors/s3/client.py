"""The S3 client: one attempt per call, no detours, and nothing mutating where only reading is due.

* One attempt: retries belong to the wrapper, which asks the core's classification of errors.
* No detours: no proxy of the environment, no endpoint of the environment, no instance metadata,
  and no following of a store that says "that bucket is in another region" (law 2).
* ``read_only`` clients let through what is on a short list of reads, and refuse the rest before
  anything is sent (law 8).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.loaders import Loader

from connectors.s3.credentials import Credentials, FromChain, session_with
from connectors.s3.errors import CONNECT, translated
from connectors.s3.listing_page import take_entries
from connectors.s3.told_digest import trust
from connectors.s3.whole_head import insist
from repatria.errors import WriteRefused
from repatria.names import SiteName

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

Encryption = Literal["none", "AES256", "aws:kms"]

_READS: Final = ("Get", "Head", "List")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """One bucket of one store, and how to reach it.

    ``endpoint_url`` None: the cloud's own endpoint for ``region``. ``kms_key_id`` should be an
    ARN, for only that tells where the key lives. ``etags_are_md5``: where an ETag looks so and
    nothing says otherwise.
    """

    site: SiteName
    bucket: str
    region: str = "us-east-1"
    endpoint_url: str | None = None
    path_style: bool = True
    ca_bundle: str | None = None
    credentials: Credentials = field(default_factory=FromChain)
    expected_owner: str | None = None
    requester_pays: bool = False
    sse: Encryption = "none"
    kms_key_id: str | None = None
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0
    max_connections: int = 16
    etags_are_md5: bool = True


def connect(settings: S3Settings, *, read_only: bool) -> S3Client:
    """Return a client for ``settings``. Nothing is sent before the first call."""
    quiet = _quiet(settings)
    insist()
    trust()
    with translated(settings.site, CONNECT):
        core = session_with(settings.credentials, settings.region, quiet)
        core.register_component("data_loader", _models())
        client: S3Client = boto3.session.Session(botocore_session=core).client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            verify=settings.ca_bundle or True,
            config=quiet.merge(_for_s3(settings)),
        )
    client.meta.events.register_first("before-call.s3", _stay_here)
    client.meta.events.register("before-call.s3.GetObject", _compare_nothing)
    # The service is a wildcard because such hooks run first: the SDK's own would parse every page.
    client.meta.events.register("before-parse.*.ListObjectsV2", take_entries)
    if read_only:
        client.meta.events.register_first("before-call.s3", _refuse_writes(settings.site))
    return client


@cache
def _models() -> Loader:
    """Return what reads the SDK's models of services: once for all clients, 0.1 s for each."""
    return Loader(include_default_search_paths=True)


def endpoint_host(client: S3Client) -> str:
    """Return host and port that the client really talks to, without any user information."""
    parts = urlsplit(client.meta.endpoint_url)
    host = parts.hostname or ""
    return host if parts.port is None else f"{host}:{parts.port}"


def _quiet(settings: S3Settings) -> Config:
    return Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        proxies={},
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        max_pool_connections=settings.max_connections,
        tcp_keepalive=True,
    )


def _for_s3(settings: S3Settings) -> Config:
    """Checksums are ours to send, and those of the store ours to compare (``body_digest``)."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.path_style else "virtual"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _stay_here(context: dict[str, Any], **_rest: object) -> None:
    """Mark the call as redirected already, so that the SDK follows no redirect to elsewhere."""
    context.setdefault("s3_redirect", {})["redirected"] = True


def _compare_nothing(context: dict[str, Any], **_rest: object) -> None:
    """Leave bodies to whoever reads them: the SDK lacks the CRCs that S3 keeps by itself."""
    context.get("checksum", {}).pop("response_algorithms", None)


def _refuse_writes(site: SiteName) -> Callable[..., None]:
    """Return a hook that refuses every operation that is not known to read."""

    def refuse(model: OperationModel, **_rest: object) -> None:
        if not model.name.startswith(_READS):
            raise WriteRefused("this client only reads", site=site, operation=model.name)

    return refuse
