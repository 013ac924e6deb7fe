"""The JSON Schema of the configuration, generated from its models for editors to use."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from repatria.config.config_model import ConfigModel

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLE: Final = "Configuration of Repatria"


@cache
def schema() -> dict[str, Any]:
    """Return the schema of one file of a configuration. Not to be changed by its callers."""
    generated = ConfigModel.model_json_schema(mode="validation")
    _close(generated)
    return {"$schema": DIALECT} | generated | {"title": TITLE}


def schema_text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _close(node: object) -> None:
    """Let names that fit no pattern be refused, which the generator leaves open."""
    if isinstance(node, dict):
        if "patternProperties" in node:
            node["additionalProperties"] = False
        for inner in node.values():
            _close(inner)
    elif isinstance(node, list):
        for inner in node:
            _close(inner)
