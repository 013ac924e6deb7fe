"""Whether there is a Prefect API is found out cheaply, and as Prefect itself does it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flows.command.prefect_api import api_url, reach
from repatria.errors import Transient

PROFILES = """
active = "ours"
[profiles.ours]
PREFECT_API_URL = "http://127.0.0.1:4200/api"
[profiles.plain]
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("home")
def test_nothing_configured_is_no_api() -> None:
    assert api_url() is None


def test_the_active_profile_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "profiles.toml").write_text(PROFILES)
    assert api_url() == "http://127.0.0.1:4200/api"
    monkeypatch.setenv("PREFECT_PROFILE", "plain")
    assert api_url() is None


def test_the_environment_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "profiles.toml").write_text(PROFILES)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert api_url() == "http://127.0.0.1:1/api"


def test_a_broken_file_of_profiles_is_no_api(home: Path) -> None:
    (home / "profiles.toml").write_text("[[[")
    assert api_url() is None


def test_a_server_that_is_away_is_transient_and_its_url_stays_untold() -> None:
    with pytest.raises(Transient, match=r"127\.0\.0\.1:9") as caught:
        reach("http://somebody:secret@127.0.0.1:9/api")
    assert "secret" not in str(caught.value)


def test_looking_does_not_import_prefect() -> None:
    assert "prefect" not in vars(sys.modules["flows.command.prefect_api"])
