"""One Prefect server for all of these tests, started when the first of them needs it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_LOCAL_STORAGE_PATH, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from tests.flows.small_world import s3_server, world

__all__ = ["prefect_server", "s3_server", "world"]


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The API of a Prefect server with a database of its own."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with (
        tempfile.TemporaryDirectory() as folder,
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_LOCAL_STORAGE_PATH: folder}),
    ):
        yield str(PREFECT_API_URL.value())
