"""The whole configuration: the sections that its files may hold.

Each section may stand in any file. No section is required here, so that one file is a valid
document of the schema; ``crosscheck`` says which are missing once all files are read.
"""

from __future__ import annotations

from pydantic import Field

from repatria.config.dataset_model import DatasetModel
from repatria.config.limits_model import LimitsModel
from repatria.config.loaded import Config, KeyFile
from repatria.config.prices_model import PricesModel
from repatria.config.region_model import RegionsModel, drafts
from repatria.config.runner_model import DEFAULT, RunnerRef, runner
from repatria.config.site_model import SiteModel
from repatria.config.state_model import (
    KEY_FILE,
    KeysModel,
    LedgerModel,
    StateModel,
    default_ledger,
)
from repatria.config.strict_model import DatasetText, Place, SiteText, Strict
from repatria.names import DatasetName, SiteName

SPREADABLE = ("sites", "datasets")
"""Sections that several files may hold parts of."""

REQUIRED = ("sites", "regions", "datasets", "state")


class ConfigModel(Strict):
    """Any part of the configuration of Repatria."""

    sites: dict[SiteText, SiteModel] = Field(default_factory=dict)
    """Sites by name. May be spread over several files."""

    regions: RegionsModel = RegionsModel()
    """The populations that cut over, each with its home."""

    datasets: dict[DatasetText, DatasetModel] = Field(default_factory=dict)
    """Datasets by name. May be spread over several files."""

    limits: LimitsModel = LimitsModel()
    """What one run may use, and what one object or record may be."""

    runner: RunnerRef = DEFAULT
    """Where stripes are worked through: child processes, threads, or a Dask cluster."""

    prices: PricesModel = PricesModel()
    """What sites charge."""

    state: StateModel | None = None
    """Where Repatria keeps what it remembers."""

    ledger: LedgerModel | None = None
    """The database; without this section a SQLite file in the state folder."""

    keys: KeysModel | None = None
    """Where the secret key is; without this section a file in the state folder."""


def nouns(model: ConfigModel, place: Place) -> Config:
    """Return the nouns of a model that passed every check, paths where ``place`` puts them."""
    assert model.state is not None, "crosscheck refuses a configuration without a state"
    state = model.state.noun(place)
    sites = sorted(model.sites.items())
    return Config(
        sites={SiteName(name): site.noun(name) for name, site in sites},
        stores={SiteName(name): site.store.noun(place) for name, site in sites},
        regions=tuple(draft.noun() for draft in drafts(model.regions)),
        datasets={
            DatasetName(name): data.noun(name) for name, data in sorted(model.datasets.items())
        },
        limits=model.limits.noun(),
        prices=model.prices.noun(),
        ledger=model.ledger.at(place) if model.ledger else default_ledger(state),
        state=state,
        keys=model.keys.noun(place) if model.keys else KeyFile(state.folder / KEY_FILE),
        country_aliases=dict(sorted(model.regions.country_aliases.items())),
        enclave_jurisdictions=frozenset(model.regions.enclave_jurisdictions),
        runner=runner(model.runner),
    )
