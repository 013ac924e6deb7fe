"""What all models of the configuration share: closed, frozen, and read without coercion.

They validate as JSON does in pydantic's strict mode: text becomes a date or a member of an
enumeration, and never a number or a truth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, WithJsonSchema

from repatria.countries import COUNTRIES

Place = Callable[[str], Path]
"""Turns a path as it was written into one that can be opened, or leaves it as it is."""


class Strict(BaseModel):
    """Unknown keys are errors, and nothing changes after loading."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )


def country(code: str) -> str:
    """Return a code of ISO 3166-1 alpha-2, or raise ``ValueError``."""
    if code not in COUNTRIES:
        raise ValueError("expected a country of ISO 3166-1 alpha-2 in upper case, such as IE")
    return code


Country = Annotated[
    str,
    AfterValidator(country),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$", "title": "ISO 3166-1 alpha-2"}),
]
SiteText = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
RegionText = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,15}$")]
DatasetText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
FileText = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]
"""A path; a relative one begins at the folder of the configuration."""


def plain(text: str) -> str:
    """Return text without control characters, at most 1,024 bytes of it; else ``ValueError``."""
    if not text.isprintable() or len(text.encode("utf-8", "surrogatepass")) > 1024:
        raise ValueError("expected at most 1,024 bytes of text without control characters")
    return text


def folder_like(text: str) -> str:
    """Return a prefix of keys that is empty or ends in ``/``, or raise ``ValueError``."""
    if text and not text.endswith("/"):
        raise ValueError("expected a prefix that ends in '/'")
    return plain(text)
