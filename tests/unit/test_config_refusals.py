"""What a configuration may not say: each is refused by file, line, path and expectation."""

from __future__ import annotations

from pathlib import Path

import pytest

from repatria.config.load import load
from repatria.errors import ConfigRefused
from tests.unit.config_sample import REMOVE, changed, good, problems, written

STORE = "sites/dublin-1/store"
KEY = "arn:aws:kms:eu-west-1:444455556666:key/abc"

WITHIN = [
    ("sites/dublin-1/rôle", "enclave", "sites.dublin-1.rôle: unknown key; did you mean role?"),
    ("sites/dublin-1/role", "legacy", "'legacy': expected 'legacy-primary'"),
    ("sites/dublin-1/phase", "OPEN", "expected 'planned'"),
    ("sites/dublin-1/phase", REMOVE, "sites.dublin-1.phase: missing; expected: How far"),
    ("sites/dublin-1/jurisdiction", "UK", "= 'UK': expected a country of ISO 3166-1"),
    ("sites/dublin-1/jurisdiction", False, "expected text; put it in quotes"),
    ("sites/dublin-1/opens", "soon", "sites.dublin-1.opens = 'soon'"),
    ("sites/dublin-1/capacity", "40 terabytes", "such as '128 MiB'"),
    ("sites/dublin-1/capacity", 0, "greater than or equal to 1"),
    ("sites/Dublin", {}, "sites.Dublin"),
    (f"{STORE}/expected_owner", 111122223333, "expected text; put it in quotes"),
    (f"{STORE}/endpoint", "http://s3.example.net", "http:// is for loopback"),
    (f"{STORE}/prefix", "users", "ends in '/'"),
    (f"{STORE}/bucket", "a", "bucket = 'a'"),
    (f"{STORE}/bucket", "10.0.0.1", "no address"),
    (f"{STORE}/bucket", "acme.users", "path_style: true"),
    (f"{STORE}/kms_key", KEY, "kms_key with sse: aws:kms"),
    (f"{STORE}/sse", "aws:kms", "kms_key with sse: aws:kms"),
    (f"{STORE}/path_style", "yes", "expected true or false"),
    (f"{STORE}/kind", "gcs", "expected 's3'"),
    (f"{STORE}/throttle", {"requests_per_s": 0}, "greater than 0"),
    (f"{STORE}/credentials", REMOVE, "credentials: missing"),
    (f"{STORE}/credentials", "mine", "expected a reference: {profile: name}"),
    (f"{STORE}/credentials", {"environment": "lower"}, "credentials.environment"),
    (f"{STORE}/credentials", {"profile": "a", "environment": "B"}, "unknown key"),
    ("regions/ready_made", ["EU28"], "regions.ready_made.0 = 'EU28'"),
    ("regions/home/ie", "dublin-1", "regions.home.ie"),
    ("regions/country_aliases", {"DE": "FR"}, "no country itself"),
    ("regions/country_aliases", {"UK": "Britain"}, "expected a country"),
    ("regions/enclave_jurisdictions", ["IE", "US"], "expected a jurisdiction of the EU-27"),
    ("regions/groups", {"dach": {"countries": ["DE"]}}, "regions.groups.dach"),
    ("datasets/Posts", {}, "datasets.Posts"),
    ("datasets/posts/prefix", "posts", "ends in '/'"),
    ("datasets/posts/prefix", "", "not empty"),
    ("datasets/posts/prefix", "_repatria/x/", "_repatria/"),
    ("datasets/posts/identity", [], "at least 1 item"),
    ("datasets/posts/identity", ["a", "a"], "each identity column once"),
    ("datasets/posts/identity", "post_id", "expected a list"),
    ("datasets/posts/identity", [{"name": "user_id", "type": "int64"}], "one type for each"),
    ("datasets/posts/identity", ["__line"], "does not begin with '__'"),
    ("datasets/posts/version", "version", "10 is less than 9"),
    ("datasets/posts/csv", {"delimiter": ";"}, "csv with format: csv alone"),
    ("datasets/posts/residency", "country", "expected {column: name} or {directory: dataset}"),
    ("datasets/posts/fields", {"text": "secret"}, "expected 'none', 'personal' or 'sensitive'"),
    ("datasets/profiles/compression", "gzip", "no compression with format: parquet"),
    ("datasets/profiles/user", {"name": "user_id", "type": "uuid"}, "datasets.profiles.user.type"),
    ("limits/batch_bytes", "2 GiB", "less than or equal to 1073741824"),
    ("limits/batch_bytes", "1.5 B", "whole number of bytes"),
    ("limits/workers", "2", "expected a whole number"),
    ("limits/workers", 1.5, "limits.workers"),
    ("limits/wait_s_max", 600, "wait_s_max ≤ call_s_max"),
    ("limits/threads", 2, "limits.threads: unknown key"),
    ("prices/currency", "euro", "prices.currency"),
    ("state/folder", REMOVE, "state.folder: missing"),
    ("ledger/url", "mysql://host/db", "expected sqlite:///file or postgresql://"),
    ("ledger/url", "sqlite://", "remembers nothing"),
    ("ledger/url", "postgresql://ada:tulip@host/db", "expected no password"),
    ("ledger/url", "postgresql://host/db?password=tulip", "expected no password"),
    ("ledger/url", "sqlite:///:memory:", "remembers nothing"),
    ("keys/path", "x", "expected {file: path} or {environment: VARIABLE}"),
    ("site/x", 1, "site: unknown key; did you mean sites?"),
]

BETWEEN = [
    ("state", REMOVE, "state: missing"),
    ("datasets", {}, "datasets: expected at least one"),
    ("sites/us-east/role", "legacy-backup", "expected one site with role: legacy-primary"),
    ("sites/singapore/role", "legacy-primary", "expected one legacy-primary"),
    ("sites/dublin-1/jurisdiction", "DE", "lies in IE, and the site's jurisdiction is DE"),
    (f"{STORE}/region", "eu-west-9", "expected a known region of AWS"),
    (f"{STORE}/endpoint", "https://s3.us-east-1.amazonaws.com", "AWS's endpoint of eu-west-1"),
    ("sites/hamar/jurisdiction", "US", "regions.enclave_jurisdictions"),
    ("sites/hamar/jurisdiction", "CH", "regions.enclave_jurisdictions"),
    ("state/jurisdiction", "US", "state.jurisdiction = 'US'"),
    (f"{STORE}/bucket", "acme-users", "is the place of dublin-1 too"),
    ("regions/home/default", "dublin-9", "expected a site that is declared"),
    ("regions/home/default", "us-east", "expected a site with role: enclave"),
    ("regions/home", {"IE": "dublin-1"}, "no home for AT, BE"),
    ("regions/home/CH", "hamar", "expected the name of a region"),
    ("regions/standby/IE", "dublin-1", "is the home of IE"),
    ("regions/standby/IE", "singapore", "expected a site with role: enclave"),
    ("regions/ready_made", [], "expected a region"),
    ("regions/without", ["CH"], "expected a country of ready_made"),
    ("regions/groups", {"DACH": {"countries": ["DE", "CH"]}}, "is in region DE already"),
    ("regions/groups", {"AA": {"countries": ["CH", "CH"]}}, "is in region AA already"),
    ("regions/groups", {"FR": {"countries": ["FR"], "home": "mars"}}, "regions.groups.FR.home"),
    ("datasets/posts/prefix", "profiles/old/", "expected a prefix apart"),
    ("datasets/posts/residency/directory", "users", "expected a dataset that is declared"),
    ("datasets/posts/residency/directory", "posts", "whose own residency is a column"),
    ("datasets/posts/user", {"name": "u", "type": "int64"}, "expected users of type int64"),
    ("prices/sites", {"mars": {}}, "prices.sites.mars"),
]


@pytest.mark.parametrize(("path", "value", "says"), WITHIN)
def test_a_part_that_is_wrong_in_itself_is_refused(
    tmp_path: Path, path: str, value: object, says: str
) -> None:
    found = problems(written(tmp_path, changed(path, value)))
    assert any(says in line for line in found), found
    section = path.split("/", maxsplit=1)[0]
    assert all(line.startswith(f"{section}.yaml:") for line in found), found


@pytest.mark.parametrize(("path", "value", "says"), BETWEEN)
def test_parts_that_do_not_fit_together_are_refused(
    tmp_path: Path, path: str, value: object, says: str
) -> None:
    tree = good()
    if value is REMOVE:
        del tree[path]
    else:
        tree = changed(path, value)
    found = problems(written(tmp_path, tree))
    assert any(says in line for line in found), found


def test_the_sample_itself_is_right(tmp_path: Path) -> None:
    load(written(tmp_path, good()))


def test_all_mistakes_are_told_at_once_across_parts_and_files(tmp_path: Path) -> None:
    tree = changed("sites/dublin-1/phase", "opne")
    changed("datasets/posts/prefix", "profiles/", tree)
    changed("regions/home/default", "mars", tree)
    changed("limits/workers", 0, tree)
    found = problems(written(tmp_path, tree))
    for path in ("sites.dublin-1.phase", "datasets", "regions.home.default", "limits.workers"):
        assert any(path in line for line in found), (path, found)
    assert len(found) == 4


def test_a_site_with_a_mistake_is_not_also_a_site_that_nobody_knows(tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("sites/dublin-1/phase", "opne")))
    assert len(found) == 1, found


def test_a_list_with_a_wrong_item_is_not_also_a_list_that_is_too_short(tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("datasets/posts/identity/0/type", "uuid")))
    assert len(found) == 1, found


def test_a_problem_names_the_line_of_its_key(tmp_path: Path) -> None:
    written(tmp_path, good())
    (tmp_path / "limits.yaml").write_text("# a comment\n\nlimits:\n  workers: 2\n  attempts: no\n")
    assert problems(tmp_path)[0].startswith("limits.yaml:5: limits.attempts = 'no': expected")


def test_one_source_may_not_be_its_own_target_under_another_name(tmp_path: Path) -> None:
    tree = good()
    for name, endpoint, prefix in (
        ("us-east", "http://localhost:9000", "users/"),
        ("hamar", "http://127.0.0.1:9000/", "users/eu/"),
    ):
        tree["sites"][name]["store"] |= {"endpoint": endpoint, "prefix": prefix, "bucket": "same"}
    assert any("is the place of hamar too" in line for line in problems(written(tmp_path, tree)))
    tree["sites"]["hamar"]["store"]["prefix"] = "europe/"
    load(written(tmp_path, tree))


def test_a_key_of_another_region_is_refused(tmp_path: Path) -> None:
    tree = changed(f"{STORE}/sse", "aws:kms")
    changed(f"{STORE}/kms_key", KEY.replace("eu-west-1", "us-east-1"), tree)
    assert any("of the store's own region" in line for line in problems(written(tmp_path, tree)))
    load(written(tmp_path, changed(f"{STORE}/kms_key", KEY, tree)))


def test_a_name_in_two_files_is_refused_and_a_section_too(tmp_path: Path) -> None:
    written(tmp_path, changed("limits/workers", 2))
    (tmp_path / "zz.yaml").write_text("limits: {attempts: 3}\ndatasets: {posts: {}}\n")
    found = problems(tmp_path)
    assert any("limits: stands in two files; first in limits.yaml, line 1" in it for it in found)
    assert any("datasets.posts: stands in two files" in it for it in found)


def test_a_csv_without_a_header_declares_every_column_that_decides(tmp_path: Path) -> None:
    tree = changed("datasets/posts/format", "csv")
    changed("datasets/posts/csv", {"header": False}, tree)
    assert any("columns with header: false" in line for line in problems(written(tmp_path, tree)))
    changed("datasets/posts/csv", {"header": False, "columns": ["post_id"]}, tree)
    assert any("every deciding column" in line for line in problems(written(tmp_path, tree)))
    changed("datasets/posts/csv", {"header": False, "columns": ["post_id", "user_id"]}, tree)
    load(written(tmp_path, tree))


class TestTheFolder:
    def test_must_be_there_and_hold_something(self, tmp_path: Path) -> None:
        assert "is not a folder" in problems(tmp_path / "nowhere")[0]
        assert "no *.yaml file" in problems(tmp_path)[0]

    def test_may_not_hold_what_only_looks_as_if_it_counted(self, tmp_path: Path) -> None:
        (written(tmp_path, good()) / "more.yml").write_text("limits: {}\n")
        assert problems(tmp_path) == ["more.yml:1: is not read: name it .yaml, or move it away"]

    def test_may_hold_links_to_files_and_nothing_odder(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "config", good())
        (tmp_path / "elsewhere").write_text("limits: {workers: 7}\n")
        (folder / "limits.yaml").symlink_to(tmp_path / "elsewhere")
        assert load(folder).limits.workers == 7
        (folder / "odd.yaml").symlink_to(tmp_path / "gone")
        (folder / "device.yaml").symlink_to("/dev/null")
        (folder / "folder.yaml").mkdir()
        assert [line.split(" ")[0] for line in problems(folder)] == [
            "device.yaml:1:",
            "folder.yaml:1:",
            "odd.yaml:1:",
        ]

    def test_may_hold_hidden_files_and_the_schema_unread(self, tmp_path: Path) -> None:
        folder = written(tmp_path, good())
        for name in (".draft.yaml", "schema/x.yaml", ".git/x.yaml"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text("not: known\n")
        load(folder)

    def test_is_refused_if_a_file_is_no_mapping(self, tmp_path: Path) -> None:
        (written(tmp_path, good()) / "list.yaml").write_text("- 1\n")
        with pytest.raises(ConfigRefused, match="expected sections at the top"):
            load(tmp_path)
