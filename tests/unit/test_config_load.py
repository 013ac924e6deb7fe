"""A configuration becomes nouns, and its digest depends on what it says alone."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from repatria.config.digest import changes
from repatria.config.limits_model import LimitsModel
from repatria.config.load import load
from repatria.config.loaded import KeyFile, KeyVariable, Runner, RunnerKind
from repatria.config.prices_model import TariffModel
from repatria.countries import EU27
from repatria.dataset import ByCountry, ByDirectory, Column, ColumnType, CsvShape
from repatria.errors import ConfigRefused
from repatria.limits import MIB, SIZES, Limits, Memory
from repatria.names import DatasetName, RegionName, SiteName
from repatria.prices import Tariff
from repatria.site import Role, SitePhase
from repatria.store import AssumedRole, DefaultChain, Encryption, FromEnvironment, Profile
from tests.unit.config_sample import changed, good, written

EXAMPLE = Path(__file__).parents[2] / "config"
DUBLIN = SiteName("dublin-1")


class TestTheExampleOfTheRepository:
    def test_loads_and_knows_the_five_sites(self) -> None:
        config = load(EXAMPLE)
        assert list(config.sites) == ["dublin-1", "dublin-2", "hamar", "singapore", "us-east"]
        assert config.primary == "us-east"
        assert config.backup == "singapore"
        assert config.sites[SiteName("dublin-2")].phase is SitePhase.TESTING
        assert config.sites[DUBLIN].opens == date(2025, 3, 1)
        assert config.sites[DUBLIN].capacity_bytes == 40 * 1024**4
        assert config.sites[SiteName("hamar")].jurisdiction == "NO"
        assert config.sites[SiteName("hamar")].location == "no-hamar-1"

    def test_gives_every_european_a_region_in_order_of_names(self) -> None:
        regions = load(EXAMPLE).regions
        names = [region.name for region in regions]
        assert names == sorted(EU27 | {"IS", "LI", "NO", "GB", "CH"})
        france = regions[names.index(RegionName("FR"))]
        assert "RE" in france.countries
        assert (france.home, france.standby) == ("dublin-1", "hamar")
        norway = regions[names.index(RegionName("NO"))]
        assert (norway.home, norway.standby) == ("hamar", "dublin-1")
        assert regions[names.index(RegionName("LI"))].standby is None

    def test_describes_three_datasets(self) -> None:
        datasets = load(EXAMPLE).datasets
        logins = datasets[DatasetName("logins")]
        assert logins.identity == (Column("user_id"), Column("at", ColumnType.TIMESTAMP))
        assert logins.residency == ByDirectory(DatasetName("profiles"))
        profiles = datasets[DatasetName("profiles")]
        assert profiles.residency == ByCountry("country")
        assert profiles.version == Column("version", ColumnType.INT64)

    def test_is_written_so_that_other_tools_read_the_same(self) -> None:
        """Where plain YAML 1.1 would read another value, the example uses quotes or a comment."""
        for path in EXAMPLE.rglob("*.yaml"):
            assert path.read_text().startswith("# yaml-language-server: $schema=")
            yaml.safe_load(path.read_text())


def test_a_store_keeps_what_its_site_says(tmp_path: Path) -> None:
    tree = good()
    tree["sites"]["dublin-1"]["store"] |= {
        "prefix": "eu/",
        "ca_bundle": "ca.pem",
        "credentials": {"assume_role": "arn:aws:iam::444455556666:role/w", "external_id": "x1"},
        "expected_owner": "444455556666",
        "requester_pays": True,
        "sse": "aws:kms",
        "kms_key": "arn:aws:kms:eu-west-1:444455556666:alias/users",
        "throttle": {"requests_per_s": 5, "bytes_per_s": "1 MiB"},
    }
    tree["sites"]["hamar"]["store"] |= {"credentials": {"environment": "HAMAR"}}
    tree["sites"]["singapore"]["store"] |= {"credentials": "default"}
    stores = load(written(tmp_path, tree)).stores
    store = stores[DUBLIN]
    assert store.credentials == AssumedRole(
        role="arn:aws:iam::444455556666:role/w", external_id="x1"
    )
    assert (store.prefix, store.ca_bundle) == ("eu/", tmp_path / "ca.pem")
    assert (store.expected_owner, store.requester_pays) == ("444455556666", True)
    assert store.sse is Encryption.KMS
    assert (store.requests_per_s, store.bytes_per_s) == (5.0, MIB)
    assert stores[SiteName("hamar")].credentials == FromEnvironment("HAMAR")
    assert stores[SiteName("hamar")].endpoint == "https://s3.hamar.example.net"
    assert stores[SiteName("us-east")].credentials == Profile("reader")
    assert stores[SiteName("singapore")].credentials == DefaultChain()


def test_what_is_not_said_has_the_default_of_the_nouns(tmp_path: Path) -> None:
    config = load(written(tmp_path, good()))
    assert config.limits == Limits()
    assert config.ledger == f"sqlite:///{tmp_path}/state/ledger.sqlite3"
    assert config.keys == KeyFile(tmp_path / "state" / "repatria.key")
    assert config.prices.tariffs == {}
    assert config.country_aliases == {"EL": "GR"}
    assert config.enclave_jurisdictions == EU27 | {"IS", "LI", "NO"}
    assert config.datasets[DatasetName("profiles")].csv == CsvShape()


def test_models_have_the_fields_and_defaults_of_their_nouns() -> None:
    assert LimitsModel().noun() == Limits()
    names = {field.name for field in dataclasses.fields(Limits)}
    assert set(LimitsModel.model_fields) - {"memory"} == names
    assert set(TariffModel.model_fields) == {field.name for field in dataclasses.fields(Tariff)}


def test_a_name_for_memory_sets_limits_and_what_is_said_besides_counts() -> None:
    small = LimitsModel(memory="small").noun()
    assert small == replace(Limits(), **SIZES[Memory.SMALL])
    assert small.batch_bytes * 3 <= small.bytes_in_flight < Limits().bytes_in_flight
    said = LimitsModel(memory="small", batch_bytes=8 * MIB).noun()
    assert said == replace(small, batch_bytes=8 * MIB)


def test_what_a_name_for_memory_sets_must_agree_with_what_is_said_besides() -> None:
    assert LimitsModel(memory="large", batch_bytes=1024 * MIB).noun().batch_bytes == 1024 * MIB
    with pytest.raises(ValueError, match="expected batch_bytes ≤ bytes_in_flight"):
        LimitsModel(memory="small", batch_bytes=128 * MIB)


def test_ledger_and_keys_may_be_elsewhere(tmp_path: Path) -> None:
    tree = changed("ledger/url", "postgresql+psycopg://repatria@db/repatria")
    changed("keys/environment", "REPATRIA_KEY", tree)
    config = load(written(tmp_path, tree))
    assert config.ledger == "postgresql+psycopg://repatria@db/repatria"
    assert config.keys == KeyVariable("REPATRIA_KEY")
    tree = changed("ledger/url", "sqlite:///deep/l.db")
    assert load(written(tmp_path / "b", tree)).ledger == f"sqlite:///{tmp_path}/b/deep/l.db"


def test_a_group_takes_the_place_of_a_country_of_its_name_and_of_those_left_out(
    tmp_path: Path,
) -> None:
    tree = changed("regions/without", ["DE", "AT"])
    changed("regions/groups/DA", {"countries": ["DE", "AT"], "home": "hamar"}, tree)
    changed("regions/groups/DA/standby", "dublin-1", tree)
    changed("regions/groups/FI", {"countries": ["FI", "AX"]}, tree)
    regions = {region.name: region for region in load(written(tmp_path, tree)).regions}
    assert regions[RegionName("DA")].countries == {"DE", "AT"}
    assert regions[RegionName("DA")].home == "hamar"
    assert regions[RegionName("FI")].countries == {"FI", "AX"}
    assert regions[RegionName("FI")].home == "dublin-1"
    assert "DE" not in regions


class TestTheDigest:
    def test_has_no_part_of_layout_order_comments_or_place(self, tmp_path: Path) -> None:
        first = load(written(tmp_path / "a", good()))
        other = tmp_path / "b" / "deep"
        other.mkdir(parents=True)
        text = yaml.safe_dump(good(), sort_keys=True)
        (other / "everything.yaml").write_text(f"# all\n{text}")
        assert load(other).digest == first.digest
        assert load(other).canonical == first.canonical
        assert load(other).state.folder != first.state.folder
        assert str(tmp_path) not in first.canonical
        assert re.fullmatch("[0-9a-f]{64}", first.digest)

    def test_is_of_a_form_in_which_everything_has_one_order(self) -> None:
        text = load(EXAMPLE).canonical
        whole = json.loads(text)
        ordered = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert text == ordered
        assert whole["enclave_jurisdictions"] == sorted(EU27 | {"IS", "LI", "NO"})

    def test_is_that_of_the_defaults_written_out(self, tmp_path: Path) -> None:
        first = load(written(tmp_path / "a", good()))
        tree = changed("limits/batch_bytes", "64 MiB")
        changed("limits/wait_s_max", 60, tree)
        changed("keys/file", "state/repatria.key", tree)
        changed("sites/hamar/store/endpoint", "https://S3.hamar.example.net:443/", tree)
        changed("sites/dublin-1/store/prefix", "", tree)
        assert load(written(tmp_path / "b", tree)).digest == first.digest

    @pytest.mark.parametrize("name", ["AWS_PROFILE", "REPATRIA_LIMITS", "LIMITS", "STATE"])
    def test_is_not_touched_by_the_environment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        before = load(written(tmp_path, good()))
        monkeypatch.setenv(name, '{"workers": 9}')
        assert load(tmp_path) == before

    def test_is_the_same_from_any_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written(tmp_path / "config", good())
        monkeypatch.chdir(tmp_path)
        near = load(Path("config"))
        monkeypatch.chdir(tmp_path / "config")
        assert load(Path()) == near
        assert near.state.folder.is_absolute()


class TestChanges:
    def between(self, tmp_path: Path, path: str, value: object) -> tuple[str, ...]:
        before = load(written(tmp_path / "a", good()))
        shutil.rmtree(tmp_path / "b", ignore_errors=True)
        after = load(written(tmp_path / "b", changed(path, value)))
        assert (before.digest == after.digest) == (not changes(before.canonical, after.canonical))
        return changes(before.canonical, after.canonical)

    def test_name_the_value_before_and_after(self, tmp_path: Path) -> None:
        said = self.between(tmp_path, "datasets/profiles/prefix", "people/")
        assert said == ("datasets.profiles.prefix: 'profiles/' → 'people/'",)

    def test_name_what_came_and_went(self, tmp_path: Path) -> None:
        said = self.between(tmp_path, "prices/sites", {"hamar": {"put_per_1000": 1}})
        assert "prices.tariffs.hamar.put_per_1000: nothing → 1.0" in said
        said = self.between(tmp_path, "regions/standby/IE", None)
        assert said == ("regions.IE.standby: 'hamar' → None",)

    def test_are_none_between_equals(self, tmp_path: Path) -> None:
        assert self.between(tmp_path, "limits/workers", Limits().workers) == ()

    def test_do_not_overlook_what_differs_beyond_what_is_shown(self, tmp_path: Path) -> None:
        old, new = ('{"a":"' + "x" * 90 + end + '"}' for end in "yz")
        assert len(changes(old, new)) == 1
        assert changes('{"a":1}', '{"a":"1"}') == ("a: 1 → '1'",)


def test_a_region_of_the_permitted_west_may_be_configured(tmp_path: Path) -> None:
    tree = changed("regions/enclave_jurisdictions", ["IE", "NO", "CH"])
    tree["sites"]["zurich"] = {**tree["sites"]["dublin-1"], "jurisdiction": "CH"}
    tree["sites"]["zurich"]["store"] = {
        "region": "eu-central-2",
        "bucket": "acme-eu-zurich",
        "credentials": "default",
    }
    assert load(written(tmp_path, tree)).sites[SiteName("zurich")].role is Role.ENCLAVE


class TestTheRunner:
    @pytest.mark.parametrize(
        ("said", "means"),
        [
            ("threads", Runner(RunnerKind.THREADS)),
            ({"kind": "processes"}, Runner()),
            ("dask", Runner(RunnerKind.DASK)),
            (
                {"kind": "dask", "address": "tcp://dask:8786"},
                Runner(RunnerKind.DASK, "tcp://dask:8786"),
            ),
        ],
    )
    def test_is_said_by_name_or_with_an_address_and_has_no_part_in_the_digest(
        self, tmp_path: Path, said: object, means: Runner
    ) -> None:
        plain = load(written(tmp_path / "plain", good()))
        config = load(written(tmp_path / "said", good() | {"runner": said}))
        assert plain.runner == Runner(RunnerKind.PROCESSES)
        assert config.runner == means
        assert config.digest == plain.digest

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ("fibres", "expected 'processes', 'threads' or 'dask'"),
            (3, "expected processes, threads, dask"),
            ({"kind": "threads", "address": "tcp://dask:8786"}, "only dask has one"),
            ({"kind": "dask", "address": "tcp://me:secret@dask:8786"}, "expected text to match"),
        ],
    )
    def test_is_refused_by_name(self, tmp_path: Path, said: object, told: str) -> None:
        with pytest.raises(ConfigRefused, match=told):
            load(written(tmp_path, good() | {"runner": said}))


def test_a_call_may_not_wait_longer_than_a_decoder_may_be_silent(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="call_s_max ≤ decode_s_max"):
        load(written(tmp_path, good() | {"limits": {"decode_s_max": 10}}))
