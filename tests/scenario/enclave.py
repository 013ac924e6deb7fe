"""A whole migration in memory: two legacy sites, two homes, and the engines over them."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.contest_file import ContestFile, ContestFileShelf
from connectors.directory_file import DirectoryFile, DirectoryFileShelf
from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.parquet import Parquet
from connectors.memory.bucket import UNVERSIONED, MemoryBucket
from connectors.memory.contest import NoContest
from connectors.memory.ledger import MemoryLedger
from connectors.memory.rules import MemoryClock, NoTombstones
from connectors.memory.spill import MemorySpills
from connectors.object_manifests import ObjectManifests
from connectors.object_source import ObjectSource
from connectors.object_target import ObjectTarget
from connectors.spool import MemorySpool
from repatria.batch import LINE
from repatria.border import Border, Place
from repatria.campaign import Campaign, Ending
from repatria.dataset import ByDirectory, Column, ColumnType, Dataset, Format
from repatria.digest import Digester
from repatria.directory import DirectoryBuilder
from repatria.fate import Released
from repatria.gating import house_gate
from repatria.inventory import Sources
from repatria.layout import Layout
from repatria.leasing import Tenancy
from repatria.limits import Limits
from repatria.names import DatasetName, RegionName, RunId, SiteName
from repatria.plan import Plan
from repatria.planner import Pieces, Planner, Workshop
from repatria.ports.ledger import Comparison, Verdict
from repatria.ports.rules import Contest, Regions, Tombstones
from repatria.reconcile import Reconciler
from repatria.residency import Resolver
from repatria.site import Region, Site
from repatria.sorter import Sorter
from repatria.stored import Observed
from repatria.stripe import StripeWork, Tally, Watch
from repatria.transfer import Transfer
from repatria.verify import Verifier
from tests.people import ATLAS, DE, DUBLIN, HAMAR, IE, NO, PROFILES, SINGAPORE, US
from tests.scenario.simulator import World

POSTS = Dataset(
    name=DatasetName("posts"),
    prefix="posts/",
    format=Format.JSONL,
    identity=(Column("post_id", ColumnType.INT64),),
    user=Column("user_id"),
    residency=ByDirectory(PROFILES.name),
)
DATASETS = {PROFILES.name: PROFILES, POSTS.name: POSTS}
LIMITS = Limits(batch_bytes=4096, slice_bytes=16_384, stripe_slices=2, lease_s=1.0)
LAW = frozenset({"IE", "NO"})
KEY = b"k" * 32


class Quiet:
    """Nobody is told anything."""

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None: ...

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None: ...


def parquet_of(rows: Sequence[tuple[str, str | None, int]]) -> bytes:
    """Write profiles: (user, country, version)."""
    table = pa.table(
        {
            "user_id": pa.array([user for user, _, _ in rows], pa.string()),
            "country": pa.array([country for _, country, _ in rows], pa.string()),
            "version": pa.array([version for _, _, version in rows], pa.int64()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def lines_of(rows: Sequence[tuple[int, str]]) -> bytes:
    """Write posts as gzipped JSON lines: (post, user)."""
    lines = [json.dumps({"post_id": post, "user_id": user, "n": 1.0}) for post, user in rows]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def bucket_of(site: Site, **named: Any) -> MemoryBucket:
    seen = Observed(endpoint=f"memory-{site.name}", location=site.location)
    return MemoryBucket(site.name, observed=seen, **named)


@dataclass
class Enclave:
    """The stores, and whoever works on them. Engines are made anew for each attempt."""

    folder: Path
    world: World = field(default_factory=World)
    tombstones: Tombstones = field(default_factory=NoTombstones)
    regions: tuple[Region, ...] = (DE, IE, NO)

    def __post_init__(self) -> None:
        self.us, self.dublin, self.hamar = bucket_of(US), bucket_of(DUBLIN), bucket_of(HAMAR)
        self.singapore = bucket_of(SINGAPORE, honours=UNVERSIONED)
        self.ledger = MemoryLedger()
        self.clock = MemoryClock()
        self.runs = 0
        self._codecs = {
            Format.PARQUET: Parquet(LIMITS),
            Format.JSONL: JsonLines(LIMITS),
            Format.CSV: Csv(LIMITS),
        }

    def fill(self) -> None:
        """Put a few hundred people and posts, some stale, contested, orphaned or unknown."""
        countries = ["IE", "DE", "US", "NO", "BR", "IE", None, "ZZ"]
        people = [(f"u{n:03}", countries[n % 8], 2) for n in range(160)]
        self.us.plant("profiles/a.parquet", parquet_of(people[:80]))
        self.us.plant("profiles/b.parquet", parquet_of(people[80:]))
        self.singapore.plant("profiles/a.parquet", parquet_of(people[:80]))
        stale = [(user, country, 1) for user, country, _ in people[80:100]]
        newer = [("u100", "IE", 3), ("lost", "IE", 1), ("u101", "NO", 2)]
        self.singapore.plant("profiles/b.parquet", parquet_of([*stale, *newer]))
        posts = [(n, f"u{n % 170:03}") for n in range(400)]
        self.us.plant("posts/one.jsonl.gz", lines_of(posts[:250]))
        self.us.plant("posts/two.jsonl.gz", lines_of(posts[250:]))
        self.us.plant("posts/bad.jsonl.gz", lines_of(posts[:3])[:-9])
        self.singapore.plant("posts/one.jsonl.gz", lines_of(posts[:250]))

    # Ports, through the world.

    def source(self, bucket: MemoryBucket) -> ObjectSource:
        through = self.world.around(bucket, "list", "head", "tags", "read", "stream")
        return ObjectSource(through, "", self._codecs, KEY)

    @property
    def sources(self) -> Sources:
        return Sources(primary=self._primary, backup=self._backup)

    @property
    def told(self) -> MemoryLedger:
        """The ledger, each of whose writes may fail."""
        through: MemoryLedger = self.world.around(
            self.ledger, "commit", "committed", "take", "release", "attempt", "finished", "failed",
            "begin", "end", "save_plan", "stripe", "finish_stripe", "save_comparisons",
        )  # fmt: skip
        return through

    def place(self, site: Site, bucket: MemoryBucket) -> Place:
        through = self.world.around(bucket, "put", "head", "read", "list", "observe")
        layout = Layout(backup=SINGAPORE.name)
        target = ObjectTarget(through, layout, self._codecs, self.ledger.id)
        return Place(site=site, target=target, observed=through.observe())

    # Verbs.

    def plan(self, regions: Sequence[Region] | None = None) -> Plan:
        self._open()
        planner = Planner(
            datasets=DATASETS,
            sources=self.sources,
            plans=self.told,
            limits=LIMITS,
            clock=self.clock,
            workshop=Workshop(
                directory=self._directory,
                reconcile=self._reconcile,
                estimate=lambda _samples, _frame: {},
                spool=MemorySpool,
            ),
        )
        names = [region.name for region in (regions or self.regions)]
        return planner.plan(tuple(DATASETS), names, ("config", "{}"))

    def campaign(self, plan: Plan) -> Campaign:
        """Open the engines for one attempt."""
        self._open()
        self.runs += 1
        scope = tuple(region for region in self.regions if region.name in plan.regions)
        ledger = self.told
        places = {DUBLIN.name: self.dublin, HAMAR.name: self.hamar}
        sites = {DUBLIN.name: DUBLIN, HAMAR.name: HAMAR}
        self.places = {name: self.place(sites[name], places[name]) for name in places}

        def work(name: DatasetName, site: SiteName) -> StripeWork:
            sorter = self.sorter(DATASETS[name], plan)
            border = Border(
                gate=house_gate(LAW, live=True),
                origin=US if site == US.name else SINGAPORE,
                places=self.places,
                resolver=sorter.resolver,
            )
            transfer = Transfer(
                dataset=DATASETS[name],
                scope=scope,
                sorter=sorter,
                border=border,
                digester=Digester(KEY),
                receipts=ledger,
            )
            source = self._primary if site == US.name else self._backup
            return StripeWork(transfer=transfer, source=source, failures=ledger)

        return Campaign(
            run=RunId(f"run-{self.runs}"),
            mode="live",
            plan=plan,
            plans=ledger,
            ledger=ledger,
            scope=scope,
            datasets=DATASETS,
            sources=self.sources,
            manifests={
                name: ObjectManifests(self.world.around(bucket, "put", "head", "read"), Layout())
                for name, bucket in places.items()
            },
            tenancy=self.tenancy(),
            clock=self.clock,
            work=work,
        )

    def tenancy(self) -> Tenancy:
        return Tenancy(
            leases=self.told,
            holder=f"worker-{self.runs}",
            clock=self.clock,
            lease_s=LIMITS.lease_s,
            dead=lambda holder: holder != f"worker-{self.runs}",
        )

    def migrate(self, plan: Plan, stopping: Callable[[], bool] = lambda: False) -> Ending:
        campaign = self.campaign(plan)
        campaign.begin()
        tally = Tally()
        for stripe in list(self.ledger.stripes(plan.digest)):
            tally.add(campaign.run_stripe(stripe.number, Watch(Quiet(), stopping)))
        return campaign.finish(tally)

    def verify(self, plan: Plan) -> list[Comparison]:
        """Compare everything anew; no call fails."""
        self.world.fail_at = None
        campaign = self.campaign(plan)
        run = RunId(f"verify-{self.runs}")
        for stripe in self.ledger.stripes(plan.digest):
            site = stripe.slices[0].site
            verifier = Verifier(
                dataset=DATASETS[stripe.dataset],
                scope=campaign.scope,
                source=self._primary if site == US.name else self._backup,
                places=self.places,
                sorter=self.sorter(DATASETS[stripe.dataset], plan),
                digester=Digester(KEY),
                receipts=self.ledger,
                comparisons=self.ledger,
            )
            verifier.run(run, stripe, Watch(Quiet(), lambda: False))
        return list(self.ledger.comparisons(run))

    def sorter(self, dataset: Dataset, plan: Plan) -> Sorter:
        released: dict[Any, Released] = {}
        for entry in self.ledger.waiting(dataset.name, Verdict.RELEASE):
            before = released.get(entry.batch, Released())
            entries = before.entries | {(entry.reason, entry.region)}
            released[entry.batch] = Released(entries=entries)
        return Sorter(
            resolver=self._resolver(dataset, plan),
            tombstones=self.tombstones,
            contest=self._contest(dataset.name, plan),
            released=released,
        )

    # What stands at home, told by nobody but the stores.

    def arrived(self) -> Counter[tuple[str, RegionName, str]]:
        """Count records at home: (dataset, region, what identifies it), as a reader would."""
        found: Counter[tuple[str, RegionName, str]] = Counter()
        for bucket in (self.dublin, self.hamar):
            for listed in bucket.list(""):
                key = listed.object.key
                if "/_repatria/quarantine/" in key or key.endswith("manifest.parquet"):
                    continue
                dataset, region, _ = key.split("/", 2)
                body = bucket.read(listed.object)
                for name in _read(DATASETS[DatasetName(dataset)], body, self._codecs, key):
                    found[dataset, RegionName(region.partition("=")[2]), name] += 1
        return found

    # Inside.

    def _open(self) -> None:
        self._primary, self._backup = self.source(self.us), self.source(self.singapore)

    def _directory(self, dataset: Dataset, pieces: Pieces) -> str:
        builder = DirectoryBuilder(
            dataset=dataset,
            source=self._primary,
            digester=Digester(KEY),
            regions=ATLAS.names,
            route=Resolver(dataset=dataset, atlas=ATLAS).resolve,
            spills=MemorySpills(),
            shelf=DirectoryFileShelf(self.folder / "directory"),
        )
        return builder.build(pieces()).digest

    def _reconcile(self, dataset: Dataset, pieces: Pieces) -> str:
        reconciler = Reconciler(
            dataset=dataset,
            primary=self._primary,
            backup=self._backup,
            digester=Digester(KEY),
            spills=MemorySpills(),
            shelf=ContestFileShelf(self.folder / f"contest-{dataset.name}"),
        )
        return reconciler.reconcile(pieces).digest

    def _resolver(self, dataset: Dataset, plan: Plan) -> Resolver:
        directory: Regions | None = None
        if isinstance(dataset.residency, ByDirectory):
            digest = plan.directories[dataset.residency.of]
            path = self.folder / "directory"
            directory = DirectoryFile(path, Digester(KEY), ATLAS.names, digest)
        return Resolver(dataset=dataset, atlas=ATLAS, directory=directory)

    def _contest(self, name: DatasetName, plan: Plan) -> Contest:
        if name not in plan.reconciled:
            return NoContest()
        return ContestFile(self.folder / f"contest-{name}", plan.reconciled[name])


def _read(dataset: Dataset, body: Any, codecs: Any, key: str) -> list[str]:
    rows = codecs[dataset.format].decode(dataset, body, key)
    if dataset.carried:
        return [str(json.loads(line)["post_id"]) for line in rows.column(LINE).to_pylist()]
    users = rows.column("user_id").to_pylist()
    return [f"{u}@{v}" for u, v in zip(users, rows.column("version").to_pylist(), strict=True)]
