"""How a configured store is reached: what the S3 connector needs to know of it.

Credentials stay references: the connector looks a secret up where it is used.
"""

from __future__ import annotations

from connectors.s3.client import S3Settings
from connectors.s3.credentials import (
    Credentials,
    FromChain,
    FromEnvironment,
    FromProfile,
    FromRole,
)
from repatria import store as stores
from repatria.names import SiteName


def s3_settings(site: SiteName, store: stores.Store) -> S3Settings:
    """Return what the S3 connector needs to know of a configured store."""
    return S3Settings(
        site=site,
        bucket=store.bucket,
        region=store.region,
        endpoint_url=store.endpoint,
        path_style=store.path_style,
        ca_bundle=str(store.ca_bundle) if store.ca_bundle is not None else None,
        credentials=_credentials(store.credentials),
        expected_owner=store.expected_owner,
        requester_pays=store.requester_pays,
        sse=store.sse.value,
        kms_key_id=store.kms_key,
        connect_timeout_s=store.connect_s_max,
        read_timeout_s=store.read_s_max,
        etags_are_md5=store.etags is stores.Etags.MD5,
    )


def _credentials(reference: stores.Credentials) -> Credentials:
    match reference:
        case stores.Profile(profile):
            return FromProfile(profile)
        case stores.FromEnvironment(prefix):
            return FromEnvironment(f"{prefix}_")
        case stores.AssumedRole():
            source = FromProfile(reference.profile) if reference.profile else FromChain()
            return FromRole(reference.role, reference.external_id, source=source)
        case stores.DefaultChain():
            return FromChain()
