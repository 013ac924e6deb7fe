"""A whole migration in memory: two legacy sites, two homes, and the engines over them."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from connectors.contest_file import ContestFile, ContestFileShelf
from connectors.directory_file import DirectoryFile, DirectoryFileShelf
from connectors.formats.codec import Codec
from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.parquet import Parquet
from connectors.memory.bucket import HONEST, UNVERSIONED, MemoryBucket
from connectors.memory.contest import NoContest
from connectors.memory.ledger import MemoryLedger
from connectors.memory.rules import MemoryClock, NoTombstones
from connectors.memory.spill import MemorySpills
from connectors.object_manifests import ObjectManifests
from connectors.object_source import ObjectSource
from connectors.object_target import ObjectTarget
from connectors.spool import MemorySpool
from connectors.wrap.rehearsed import Rehearsed
from repatria.atlas import Atlas
from repatria.audit import Configured
from repatria.batch import Reason
from repatria.border import Border, Place
from repatria.campaign import Campaign, Ending
from repatria.dataset import ByCountry, ByDirectory, Column, ColumnType, Dataset, Format
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
from repatria.stored import Honours, Observed
from repatria.stripe import StripeWork, Tally, Watch
from repatria.transfer import Transfer, destinations
from repatria.verify import Verifier
from tests.people import DE, DUBLIN, HAMAR, IE, NO, PROFILES, SINGAPORE, US
from tests.scenario.simulator import World
from tests.scenario.written import lines_of, names_in, notes_of, parquet_of

POSTS = Dataset(
    name=DatasetName("posts"),
    prefix="posts/",
    format=Format.JSONL,
    identity=(Column("post_id", ColumnType.INT64),),
    user=Column("user_id"),
    residency=ByDirectory(PROFILES.name),
)
NOTES = Dataset(
    name=DatasetName("notes"),
    prefix="notes/",
    format=Format.JSONL,
    identity=(Column("note_id"),),
    user=Column("user_id"),
    residency=ByCountry("country"),
)
DATASETS: Mapping[DatasetName, Dataset] = {PROFILES.name: PROFILES, POSTS.name: POSTS}
LIMITS = Limits(batch_bytes=4096, slice_bytes=16_384, stripe_slices=2, lease_s=1.0)
LAW = frozenset({"IE", "NO"})
KEY = b"k" * 32
CODECS: Mapping[Format, Codec] = {
    Format.PARQUET: Parquet(LIMITS),
    Format.JSONL: JsonLines(LIMITS),
    Format.CSV: Csv(LIMITS),
}
BEHIND = "/_repatria/"

Arrivals = Counter[tuple[str, RegionName, str]]
"""Records at home: (dataset, region, what identifies it)."""


@dataclass
class Heard:
    """Somebody who is told how far work has come, and remembers it all."""

    said: list[tuple[object, ...]] = field(default_factory=list)

    def batch(self, dataset: DatasetName, read: int, moved: int, bytes_read: int) -> None:
        self.said.append((dataset, read, moved, bytes_read))

    def slice_done(self, dataset: DatasetName, label: str, failed: str | None) -> None:
        self.said.append((dataset, label, failed))


def of_notes(folder: Path, **named: Any) -> Enclave:
    """Return a world that holds nothing but notes."""
    return Enclave(folder, datasets={NOTES.name: NOTES}, **named)


def bucket_of(site: Site, **named: Any) -> MemoryBucket:
    named.setdefault("observed", Observed(endpoint=f"memory-{site.name}", location=site.location))
    return MemoryBucket(site.name, **named)


@dataclass
class Enclave:
    """The stores, and whoever works on them. Engines are made anew for each attempt.

    ``regions`` is the atlas; ``promises`` is what the homes honour.
    """

    folder: Path
    world: World = field(default_factory=World)
    tombstones: Tombstones = field(default_factory=NoTombstones)
    regions: tuple[Region, ...] = (DE, IE, NO)
    datasets: Mapping[DatasetName, Dataset] = field(default_factory=lambda: DATASETS)
    promises: Honours = HONEST

    def __post_init__(self) -> None:
        self.us = bucket_of(US)
        self.singapore = bucket_of(SINGAPORE, honours=UNVERSIONED)
        self.dublin = bucket_of(DUBLIN, honours=self.promises)
        self.hamar = bucket_of(HAMAR, honours=self.promises)
        self.ledger = MemoryLedger()
        self.clock = MemoryClock()
        self.heard = Heard()
        self.tally = Tally()
        self.aliases = {"UK": "GB"}
        self.runs = 0

    @property
    def homes(self) -> dict[SiteName, MemoryBucket]:
        return {DUBLIN.name: self.dublin, HAMAR.name: self.hamar}

    @property
    def atlas(self) -> Atlas:
        return Atlas(self.regions, self.aliases)

    @property
    def watch(self) -> Watch:
        """Somebody who hears everything and never asks to stop."""
        return Watch(self.heard, lambda: False)

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
        posts = [(n, f"u{n % 170:03}") for n in range(160)]
        self.us.plant("posts/one.jsonl.gz", lines_of(posts[:110]))
        self.us.plant("posts/two.jsonl.gz", lines_of(posts[110:]))
        self.us.plant("posts/bad.jsonl.gz", lines_of(posts[:3])[:-9])
        # In two parts, so that its ETag says nothing and its checksum must be asked for.
        self.singapore.plant("posts/one.jsonl.gz", lines_of(posts[:110]), etag="0-2")

    def note(self, name: str, *rows: tuple[str, str | None], padding: int = 0) -> None:
        """Write one object of notes at the primary, whatever stands there."""
        self.us.plant(f"notes/{name}", notes_of(rows, padding))

    # Ports, through the world.

    def source(self, bucket: MemoryBucket) -> ObjectSource:
        through = self.world.around(bucket, "list", "head", "tags", "read", "stream")
        return ObjectSource(through, "", CODECS, KEY, whole_bytes=0)

    @property
    def sources(self) -> Sources:
        return Sources(primary=self.source(self.us), backup=self.source(self.singapore))

    @property
    def told(self) -> MemoryLedger:
        """The ledger, each of whose calls may fail."""
        through: MemoryLedger = self.world.around(
            self.ledger, "commit", "committed", "reopened", "reopen", "take", "claim", "release",
            "attempt", "finished", "failed", "begin", "end", "save_plan", "save_config",
            "fix_cutting", "stripe", "finish_stripe", "receipts", "waiting",
        )  # fmt: skip
        return through

    def place(self, site: Site, bucket: MemoryBucket) -> Place:
        through = self.world.around(bucket, "put", "head", "read", "read_back", "list", "observe")
        target = ObjectTarget(through, Layout(backup=SINGAPORE.name), CODECS, self.ledger.id)
        return Place(site=site, target=target, observed=through.observe())

    # Verbs.

    def plan(self, *regions: Region, datasets: Sequence[DatasetName] = ()) -> Plan:
        """Plan ``regions`` and ``datasets``: by default, all of them."""
        planner = Planner(
            datasets=self.datasets,
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
        return planner.plan(datasets or tuple(self.datasets), names, ("config", "{}"))

    def campaign(self, plan: Plan) -> Campaign:
        """Open the engines for one live attempt."""
        places = {
            site.name: self.place(site, self.homes[site.name])
            for site in (DUBLIN, HAMAR)
            if site.name in self._destinations(plan)
        }
        through = {
            name: self.world.around(self.homes[name], "put", "head", "read") for name in places
        }
        return self._campaign(plan, "live", self.told, places, through)

    def rehearsal(self, plan: Plan) -> Campaign:
        """Open the engines for a rehearsal: buckets that hold, and a ledger that is forgotten."""
        held = {name: Rehearsed(self.homes[name]) for name in self._destinations(plan)}
        sites = {site.name: site for site in (DUBLIN, HAMAR)}
        layout = Layout(backup=SINGAPORE.name)
        places = {
            name: Place(
                site=sites[name],
                target=ObjectTarget(bucket, layout, CODECS, self.ledger.id),
                observed=bucket.observe(),
            )
            for name, bucket in held.items()
        }
        return self._campaign(plan, "rehearsal", MemoryLedger(), places, held)

    def _campaign(
        self,
        plan: Plan,
        mode: str,
        ledger: MemoryLedger,
        places: Mapping[SiteName, Place],
        shelves: Mapping[SiteName, Any],
    ) -> Campaign:
        self.runs += 1
        scope = self._scope(plan)
        sources = self.sources

        def work(name: DatasetName, site: SiteName) -> StripeWork:
            sorter = self.sorter(self.datasets[name], plan)
            border = Border(
                gate=house_gate(LAW, live=mode == "live"),
                origin=US if site == US.name else SINGAPORE,
                places=places,
                resolver=sorter.resolver,
            )
            transfer = Transfer(
                dataset=self.datasets[name],
                scope=scope,
                sorter=sorter,
                border=border,
                digester=Digester(KEY),
                receipts=ledger,
            )
            source = sources.primary if site == US.name else sources.backup
            assert source is not None, "this world has a backup"
            return StripeWork(transfer=transfer, source=source, failures=ledger)

        return Campaign(
            run=RunId(f"run-{self.runs}"),
            mode=mode,
            plan=plan,
            plans=self.told,
            ledger=ledger,
            scope=scope,
            configured=Configured.of(self.datasets, self.regions),
            sources=sources,
            manifests={
                name: ObjectManifests(shelves[name], Layout(), self.ledger.id) for name in places
            },
            tenancy=self.tenancy(ledger),
            clock=self.clock,
            seal=lambda key: key[::-1].encode(),
            work=work,
        )

    def tenancy(self, ledger: MemoryLedger) -> Tenancy:
        me = f"worker-{self.runs}"
        return Tenancy(
            leases=ledger,
            holder=me,
            clock=self.clock,
            lease_s=LIMITS.lease_s,
            dead=lambda holder: holder != me,
        )

    def migrate(self, plan: Plan, stopping: Callable[[], bool] = lambda: False) -> Ending:
        """Work through a plan; ``tally`` says what this attempt did."""
        return self.run(self.campaign(plan), stopping)

    def run(self, campaign: Campaign, stopping: Callable[[], bool] = lambda: False) -> Ending:
        """Run a campaign from its beginning to its end."""
        campaign.begin()
        self.tally = Tally()
        for stripe in list(self.ledger.stripes(campaign.plan.digest)):
            self.tally.add(campaign.run_stripe(stripe.number, Watch(self.heard, stopping)))
        return campaign.finish(self.tally)

    def verify(self, plan: Plan) -> list[Comparison]:
        """Compare everything anew; no call fails."""
        self.world.fail_at = None
        self.runs += 1
        run = RunId(f"verify-{self.runs}")
        places = {site.name: self.place(site, self.homes[site.name]) for site in (DUBLIN, HAMAR)}
        for stripe in self.ledger.stripes(plan.digest):
            bucket = self.us if stripe.slices[0].site == US.name else self.singapore
            verifier = Verifier(
                dataset=self.datasets[stripe.dataset],
                scope=self._scope(plan),
                source=self.source(bucket),
                places=places,
                sorter=self.sorter(self.datasets[stripe.dataset], plan),
                digester=Digester(KEY),
                receipts=self.ledger,
                comparisons=self.ledger,
            )
            verifier.run(run, stripe, Watch(self.heard, lambda: False))
        return list(self.ledger.comparisons(run))

    def sorter(self, dataset: Dataset, plan: Plan) -> Sorter:
        released: defaultdict[Any, dict[tuple[Reason, RegionName | None], frozenset[int]]]
        released = defaultdict(dict)
        for entry in self.ledger.waiting(dataset.name, Verdict.RELEASE):
            released[entry.batch][entry.reason, entry.region] = frozenset(entry.positions)
        ruled = frozenset(
            reason
            for (name, reason), verdict in self.ledger.rules().items()
            if name == dataset.name and verdict is Verdict.RELEASE
        )
        return Sorter(
            resolver=self._resolver(dataset, plan),
            tombstones=self.tombstones,
            contest=self._contest(dataset.name, plan),
            always=Released(reasons=ruled),
            released={name: Released(entries=entries) for name, entries in released.items()},
        )

    # What stands at home, told by nobody but the stores.

    def standing(self, *sites: SiteName) -> dict[str, str]:
        """Return (key → ETag) of all parcels at ``sites`` (default: both)."""
        return {
            found.object.key: found.object.etag
            for site in sites or tuple(self.homes)
            for found in self.homes[site].list("")
            if not found.object.key.endswith("manifest.parquet")
            and f"{BEHIND}quarantine/" not in found.object.key
        }

    def arrived(self, *sites: SiteName) -> Arrivals:
        """Count records as a reader of whole prefixes would: every parcel that stands."""
        found: Arrivals = Counter()
        for site in sites or tuple(self.homes):
            for key in self.standing(site):
                self._count(found, self.homes[site], key)
        return found

    def trusted(self, *sites: SiteName) -> Arrivals:
        """Count records as applications do: the parcels of each manifest, at their versions."""
        found: Arrivals = Counter()
        for site in sites or tuple(self.homes):
            bucket = self.homes[site]
            for listed in list(bucket.list("")):
                if listed.object.key.endswith("manifest.parquet"):
                    body = io.BytesIO(bucket.read(listed.object))
                    for row in pq.read_table(body).to_pylist():
                        seen = bucket.head(row["key"], row["version"])
                        assert seen.object.etag == row["etag"]
                        self._count(found, bucket, row["key"])
        return found

    def _count(self, found: Arrivals, bucket: MemoryBucket, key: str) -> None:
        dataset, region, _ = key.split("/", 2)
        body = bucket.read(bucket.head(key).object)
        for name in names_in(self.datasets[DatasetName(dataset)], body, CODECS, key):
            found[dataset, RegionName(region.partition("=")[2]), name] += 1

    # Inside.

    def _scope(self, plan: Plan) -> tuple[Region, ...]:
        return tuple(region for region in self.regions if region.name in plan.regions)

    def _destinations(self, plan: Plan) -> set[SiteName]:
        return {site for region in self._scope(plan) for site in destinations(region)}

    def _directory(self, dataset: Dataset, pieces: Pieces, verdicts: str | None) -> str:
        builder = DirectoryBuilder(
            dataset=dataset,
            sources=self.sources.by_site,
            contest=self._verdicts(dataset.name, verdicts),
            digester=Digester(KEY),
            regions=self.atlas.names,
            route=Resolver(dataset=dataset, atlas=self.atlas).resolve,
            spills=MemorySpills(),
            shelf=DirectoryFileShelf(self.folder / "directory"),
        )
        return builder.build(pieces()).digest

    def _reconcile(self, dataset: Dataset, pieces: Pieces) -> str:
        primary, backup = self.source(self.us), self.source(self.singapore)
        reconciler = Reconciler(
            dataset=dataset,
            primary=primary,
            backup=backup,
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
            directory = DirectoryFile(path, Digester(KEY), self.atlas.names, digest)
        return Resolver(dataset=dataset, atlas=self.atlas, directory=directory)

    def _contest(self, name: DatasetName, plan: Plan) -> Contest:
        return self._verdicts(name, plan.reconciled.get(name))

    def _verdicts(self, name: DatasetName, digest: str | None) -> Contest:
        if digest is None:
            return NoContest()
        return ContestFile(self.folder / f"contest-{name}", digest)
