"""Whether a Prefect API is configured, found out without importing Prefect.

The environment comes first, then the active profile, as Prefect itself has it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from repatria.errors import Transient


def api_url() -> str | None:
    """Return the URL of the API, or None where none is configured."""
    return os.environ.get("PREFECT_API_URL") or _from_profile()


def _from_profile() -> str | None:
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    settings = profiles.get("profiles", {}).get(active, {})
    url = settings.get("PREFECT_API_URL") or settings.get("api", {}).get("url")
    return str(url) if url else None


def quiet() -> None:
    """Keep Prefect from calling home, and from writing its log over our screen."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


def reach(url: str) -> None:
    """Raise ``Transient`` unless the API answers."""
    import httpx  # noqa: PLC0415 - slow, and needed where an API is

    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        where = urlsplit(url)
        raise Transient(
            "the Prefect server does not answer; unset PREFECT_API_URL to run without one",
            server=f"{where.hostname}:{where.port}",
        ) from error
