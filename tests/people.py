"""A small made-up world that many tests share: regions, sites, datasets, and how to write rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from repatria.atlas import Atlas
from repatria.batch import Batch, Refusals
from repatria.dataset import ByCountry, Column, ColumnType, Dataset, Format
from repatria.names import DatasetName, RegionName, SiteName, SliceId
from repatria.site import Region, Role, Site, SitePhase
from repatria.slice import Slice
from repatria.stored import ObjectVersion

T0 = datetime(2026, 1, 1, tzinfo=UTC)

US = Site(
    name=SiteName("us-east"),
    role=Role.PRIMARY,
    jurisdiction="US",
    phase=SitePhase.OPEN,
    location="us-east-1",
)
SINGAPORE = Site(
    name=SiteName("singapore"),
    role=Role.BACKUP,
    jurisdiction="SG",
    phase=SitePhase.OPEN,
    location="ap-southeast-1",
)
DUBLIN = Site(
    name=SiteName("dublin-1"),
    role=Role.ENCLAVE,
    jurisdiction="IE",
    phase=SitePhase.OPEN,
    location="eu-west-1",
)
HAMAR = Site(
    name=SiteName("hamar"),
    role=Role.ENCLAVE,
    jurisdiction="NO",
    phase=SitePhase.OPEN,
    location="no-hamar-1",
)

IE = Region(name=RegionName("IE"), countries=frozenset({"IE"}), home=DUBLIN.name)
DE = Region(name=RegionName("DE"), countries=frozenset({"DE"}), home=DUBLIN.name)
NO = Region(name=RegionName("NO"), countries=frozenset({"NO"}), home=HAMAR.name)
ATLAS = Atlas((IE, DE, NO), {"UK": "GB"})

PROFILES = Dataset(
    name=DatasetName("profiles"),
    prefix="profiles/",
    format=Format.PARQUET,
    identity=(Column("user_id"),),
    user=Column("user_id"),
    version=Column("version", ColumnType.INT64),
    residency=ByCountry("country"),
)
POSTS = Dataset(
    name=DatasetName("posts"),
    prefix="posts/",
    format=Format.JSONL,
    identity=(Column("post_id", ColumnType.INT64),),
    user=Column("user_id"),
    residency=ByCountry("country"),
)


def piece(version: str = "v1", relative: str = "a.parquet") -> Slice:
    """Return a slice of the profiles at the primary."""
    return Slice(
        id=SliceId("0" * 31 + "1"),
        dataset=PROFILES.name,
        site=US.name,
        object=ObjectVersion(f"profiles/{relative}", 10, version),
        relative=relative,
        label=f"us-east {relative}",
    )


def profiles(
    countries: Sequence[str | None], users: Sequence[str | None] | None = None
) -> pa.Table:
    """Return one profile per country."""
    named = users if users is not None else [f"u{number}" for number in range(len(countries))]
    return pa.table(
        {
            "user_id": pa.array(named, pa.string()),
            "country": pa.array(countries, pa.string()),
            "version": pa.array([1] * len(countries), pa.int64()),
        }
    )


def batch_of(rows: pa.Table, refused: Refusals | None = None) -> Batch:
    """Return a whole batch of ``rows``."""
    return Batch(
        piece=piece(),
        ordinal=0,
        last=True,
        rows=rows,
        positions=np.arange(rows.num_rows, dtype=np.uint64),
        refused=refused if refused is not None else Refusals.none(),
    )
