"""A secret in a configuration is refused, and shown to nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from repatria.config.load import load
from repatria.config.secrecy import SAYS
from repatria.names import DatasetName
from tests.unit.config_sample import changed, problems, written

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
STORE = "sites/dublin-1/store"


@pytest.mark.parametrize(
    "path",
    [
        f"{STORE}/access_key",
        f"{STORE}/secretKey",
        f"{STORE}/aws_secret_access_key",
        f"{STORE}/credentials/secret_access_key",
        f"{STORE}/credentials/session-token",
        f"{STORE}/Password",
        "sites/dublin-1/api_key",
        "ledger/password",
        "keys/private_key",
        "limits/token",
        "secrets/x",
        "datasets/posts/csv/password",
    ],
)
def test_a_key_that_promises_a_secret_is_refused_once_and_kindly(tmp_path: Path, path: str) -> None:
    found = problems(written(tmp_path, changed(path, SECRET)))
    told = [line for line in found if SAYS in line]
    assert len(told) == 1, found
    assert SECRET not in "\n".join(found)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (f"{STORE}/credentials", KEY_ID),
        (f"{STORE}/credentials/profile", SECRET + "!"),
        (f"{STORE}/credentials/profile", KEY_ID),
        (f"{STORE}/credentials/profile", "hunter2 in a sentence"),
        (f"{STORE}/credentials", "hunter2"),
        (f"{STORE}/bucket", KEY_ID),
        (f"{STORE}/bucket", SECRET),
        (f"{STORE}/endpoint", f"https://user:{SECRET}@s3.example.net"),
        (f"{STORE}/endpoint", "https://user:hunter2/x@s3.example.net"),
        (f"{STORE}/unknown", SECRET),
        ("ledger/url", "postgresql://repatria:hunter2@db/repatria"),
        ("ledger/url", "postgresql://db/repatria?password=hunter2"),
        ("state/folder", ["-----BEGIN PRIVATE KEY-----hunter2"]),
        ("sites/dublin-1", SECRET),
    ],
)
def test_a_value_that_may_be_a_secret_is_in_no_message(
    tmp_path: Path, path: str, value: object
) -> None:
    told = "\n".join(problems(written(tmp_path, changed(path, value))))
    assert not any(secret in told for secret in (SECRET, KEY_ID, "hunter2"))


def test_a_column_may_have_the_name_of_a_secret(tmp_path: Path) -> None:
    tree = changed("datasets/profiles/fields", {"password_hash": "sensitive", "token": "none"})
    profiles = load(written(tmp_path, tree)).datasets[DatasetName("profiles")]
    assert set(profiles.fields) == {"password_hash", "token"}


def test_names_given_by_people_are_no_secrets(tmp_path: Path) -> None:
    tree = changed("datasets/password-resets", {})
    tree["datasets"]["password-resets"] = {**tree["datasets"]["posts"], "prefix": "resets/"}
    load(written(tmp_path, tree))
