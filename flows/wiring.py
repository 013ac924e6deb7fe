"""Builds engines from configuration. The only place where engines and connectors meet.

A house opens nothing before it is asked for. Live and rehearsed differ here and nowhere else: a
rehearsal is given clients that cannot write, buckets that only hold what would be put, and a
ledger of its own that vanishes with it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Final, Self, TypeVar, cast

from connectors.allocator import KEPT_BYTES, settle
from connectors.clock import SystemClock
from connectors.formats.csv import Csv
from connectors.formats.jsonl import JsonLines
from connectors.formats.parquet import Parquet
from connectors.key_seal import KeySeal
from connectors.keys import EnvironmentKeys, FileKeys
from connectors.memory.rules import NoTombstones
from connectors.object_manifests import ObjectManifests
from connectors.object_source import ObjectSource
from connectors.object_target import ObjectTarget
from connectors.process import holder, is_dead
from connectors.s3.bucket import S3Bucket
from connectors.s3.client import connect
from connectors.spool import FileSpool
from connectors.sql.ledger import SqlLedger, open_ledger
from connectors.sql.patience import Until
from connectors.sql.seal import AesGcmSeal
from connectors.wrap.metered import Meter, Metered
from connectors.wrap.rechecked import Rechecked
from connectors.wrap.rehearsed import Rehearsed
from connectors.wrap.retrying import Retrying
from connectors.wrap.throttled import Throttled
from flows.part import WHOLE, Part
from flows.promises import of_source
from flows.stores import s3_settings
from repatria.atlas import Atlas
from repatria.border import Place
from repatria.config.load import load
from repatria.config.loaded import Config, KeyVariable
from repatria.dataset import Dataset, Format
from repatria.digest import Digester
from repatria.inventory import Sources
from repatria.layout import Layout
from repatria.leasing import Tenancy
from repatria.names import SiteName
from repatria.ports.bucket import Bucket
from repatria.ports.records import Source
from repatria.ports.rules import Keys, Regions
from repatria.residency import Resolver

CONFIG_VARIABLE: Final = "REPATRIA_CONFIG"

T = TypeVar("T")


def config_folder() -> Path:
    """Return where the configuration is: ``$REPATRIA_CONFIG``, or ``config`` here."""
    return Path(os.environ.get(CONFIG_VARIABLE, "config"))


class House:
    """Everything that one configuration describes, opened when it is first asked for.

    ``folder`` is where the configuration was read from, for others who open the same house.
    """

    def __init__(self, config: Config, folder: Path, part: Part = WHOLE) -> None:
        settle(keeping=config.limits.bytes_in_flight >= KEPT_BYTES)
        self.config = config
        self.folder = folder
        self.part = part
        self.clock = SystemClock()
        self.meters: dict[SiteName, Meter] = {}
        self._open: dict[tuple[SiteName, bool], Bucket] = {}
        self._mapped: dict[Path, object] = {}
        self._lock = threading.RLock()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    # What stands on this machine.

    @property
    def state(self) -> Path:
        """The folder of what is remembered; made by ``init``."""
        return self.config.state.folder

    @cached_property
    def keys(self) -> Keys:
        """The secret keys, by purpose."""
        reference = self.config.keys
        if isinstance(reference, KeyVariable):
            return EnvironmentKeys(reference.variable)
        return FileKeys(reference.file)

    @cached_property
    def key_seal(self) -> KeySeal:
        """Seals object keys that name people, for the readers of a manifest."""
        return KeySeal(self.keys.key("manifest keys"))

    def create_key(self, path: Path) -> None:
        """Make a new secret key. Raises ``KeyRefused`` if there is one."""
        FileKeys.create(path)

    def ledger(self, *, read_only: bool = False, create: bool = False) -> SqlLedger:
        """Open the real ledger; it closes with the house."""
        with self._lock:
            ledger = open_ledger(
                self.config.ledger,
                create=create,
                read_only=read_only,
                seal=self._seal(),
                patience=Until(self.config.limits.call_s_max, self.clock, SystemRandom()),
            )
            return self._stack.enter_context(ledger)

    def throwaway_ledger(self, folder: Path) -> SqlLedger:
        """Open a ledger that a rehearsal may write, in a folder that goes with it."""
        url = f"sqlite:///{folder / 'ledger.sqlite'}"
        return self._stack.enter_context(open_ledger(url, create=True, seal=self._seal()))

    def _seal(self) -> AesGcmSeal:
        return AesGcmSeal(self.keys.key("ledger seal"))

    def mapped(self, path: Path, open_: Callable[[Path], T]) -> T:
        """Open a file of ours once: opening checks all of its bytes."""
        with self._lock:
            if path not in self._mapped:
                self._mapped[path] = open_(path)
            return cast("T", self._mapped[path])

    # Stores.

    def bucket(self, site: SiteName, *, live: bool) -> Bucket:
        """Return a site's bucket: counted, throttled, retried; unless ``live``, unable to write."""
        with self._lock:
            if (site, live) not in self._open:
                self._open[site, live] = self._bucket(site, live=live)
            return self._open[site, live]

    def _bucket(self, site: SiteName, *, live: bool) -> Bucket:
        store = self.config.stores[site]
        settings = s3_settings(site, store)
        meter = self.meter(site)
        plain = S3Bucket(connect(settings, read_only=not live), settings)
        paced = Throttled(
            Metered(plain, meter),
            requests_per_s=self.part.share(store.requests_per_s),
            bytes_per_s=self.part.share(store.bytes_per_s),
            clock=self.clock,
        )
        patient = Retrying(paced, self.config.limits, self.clock, SystemRandom())
        return patient if live else Rehearsed(patient)

    def meter(self, site: SiteName) -> Meter:
        """Return what counts the calls to a site."""
        return self.meters.setdefault(site, Meter(self.clock))

    @cached_property
    def codecs(self) -> dict[Format, Parquet | JsonLines | Csv]:
        """One codec per format, under the limits of the configuration."""
        limits = self.config.limits
        return {
            Format.PARQUET: Parquet(limits),
            Format.JSONL: JsonLines(limits),
            Format.CSV: Csv(limits),
        }

    def source(self, site: SiteName) -> Source:
        """Return a legacy site as a source of records; its client can only read.

        Raises ``StoreRefused`` if the store breaks what reading it depends on.
        """
        seen = of_source(self, site)
        root = self.config.stores[site].prefix
        bucket = self.bucket(site, live=False)
        key = self.keys.key("slice names")
        plain = ObjectSource(bucket, root, self.codecs, key)
        told = self.part.told(plain, self.config.limits.slice_bytes)
        return told if seen.fresh else Rechecked(told)

    @cached_property
    def sources(self) -> Sources:
        """The legacy sites."""
        backup = self.config.backup
        return Sources(
            primary=self.source(self.config.primary),
            backup=self.source(backup) if backup is not None else None,
        )

    def layout(self, site: SiteName) -> Layout:
        """Return how a site of the enclave is laid out."""
        return Layout(
            root=self.config.stores[site].prefix,
            backup=self.config.backup,
            key_bytes=self.config.limits.key_bytes,
        )

    def place(self, site: SiteName, ledger_id: str, *, live: bool) -> Place:
        """Return a destination, having asked its store where it is."""
        bucket = self.bucket(site, live=live)
        return Place(
            site=self.config.sites[site],
            target=ObjectTarget(bucket, self.layout(site), self.codecs, ledger_id),
            observed=bucket.observe(),
        )

    def manifests(self, site: SiteName, ledger_id: str, *, live: bool) -> ObjectManifests:
        """Return where a site keeps its manifests."""
        return ObjectManifests(self.bucket(site, live=live), self.layout(site), ledger_id)

    # Rules and what they need.

    @cached_property
    def atlas(self) -> Atlas:
        """The regions, and the way from a country to its region."""
        return Atlas(self.config.regions, self.config.country_aliases)

    @cached_property
    def digester(self) -> Digester:
        """Digests records under the key of this house."""
        return Digester(self.keys.key("record digests"))

    @cached_property
    def tombstones(self) -> NoTombstones:
        """Who was erased: nobody, until erasures are taken."""
        return NoTombstones()

    def spool(self) -> FileSpool:
        """Open a spool in the state folder."""
        return FileSpool(self.state)

    def resolver(self, dataset: Dataset, directory: Regions | None) -> Resolver:
        """Return what resolves the records of a dataset."""
        return Resolver(dataset=dataset, atlas=self.atlas, directory=directory)

    def tenancy(self, ledger: SqlLedger) -> Tenancy:
        """Return how this process holds leases."""
        return Tenancy(
            leases=ledger,
            holder=holder(),
            clock=self.clock,
            lease_s=self.config.limits.lease_s,
            dead=is_dead,
        )

    def is_dead(self, holder_: str) -> bool:
        """Say whether a process that held leases, or conducted a run, is known to be dead."""
        return is_dead(holder_)

    @property
    def workers(self) -> int:
        """How many batches may be worked on at once: by the number and by the bytes in flight.

        Each worker holds one batch, its split, and one encoded parcel: three times its budget.
        """
        limits = self.config.limits
        return max(1, min(limits.workers, limits.bytes_in_flight // (3 * limits.batch_bytes)))


@contextmanager
def open_house(folder: Path, part: Part = WHOLE) -> Iterator[House]:
    """Load the configuration in ``folder`` and open its house. Raises ``ConfigRefused``."""
    with House(load(folder), folder, part) as house:
        yield house
