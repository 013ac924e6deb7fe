"""The reference of the configuration, written from its models: ``docs/configuration.md``.

``python -m repatria.config.reference`` writes the page and the JSON Schema anew; a test keeps
both from falling behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from repatria.config.schema import schema, schema_text
from repatria.config.size import PATTERN, written

PAGE: Final = Path("docs/configuration.md")
SCHEMA: Final = Path("config/schema/config.schema.json")

Node = Mapping[str, Any]

_WORDS: Final = {"string": "text", "integer": "whole number", "number": "number", "null": "null"}
_BOUNDS: Final = (
    ("minimum", "≥"),
    ("exclusiveMinimum", ">"),
    ("maximum", "≤"),
    ("exclusiveMaximum", "<"),
)
_PATTERN_CHARACTERS: Final = 48
_HEADINGS: Final = {
    "ProfileModel": "credentials: profile",
    "EnvironmentModel": "credentials: environment",
    "RoleModel": "credentials: assume_role",
    "CountryColumnModel": "residency: column",
    "DirectoryModel": "residency: directory",
    "KeyFileModel": "keys: file",
    "KeyVariableModel": "keys: environment",
    "SiteModel": "sites: one of them",
    "DatasetModel": "datasets: one of them",
    "GroupModel": "regions.groups: one of them",
    "TariffModel": "prices.sites: one of them",
}
"""Headings that the name of a model does not give."""


def reference() -> str:
    """Return the page."""
    opening = files("repatria.config").joinpath("reference.md").read_text(encoding="utf-8")
    whole = schema()
    parts = [opening.rstrip(), *_section("The sections", whole)]
    for name in _in_order(whole):
        node = whole["$defs"][name]
        if "properties" in node:
            parts += _section(_heading(name), node)
    return "\n\n".join(parts) + "\n"


def _in_order(whole: Node) -> list[str]:
    """Return the names of all definitions, each after the first that mentions it."""
    found: dict[str, None] = {}
    waiting = list(_references(whole["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting = [*_references(whole["$defs"][name]), *waiting]
    return list(found)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield _target(value)
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _section(heading: str, node: Node) -> list[str]:
    required = set(node.get("required", ()))
    rows = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
    for key, inner in node["properties"].items():
        default = "**required**" if key in required else _default(inner)
        rows.append(f"| `{key}` | {_takes(inner)} | {default} | {_one_line(inner)} |")
    described = _one_line(node)
    return [f"## {heading}", *([described] if described else []), "\n".join(rows)]


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name.removesuffix("Model").lower())


def _anchor(heading: str) -> str:
    """Return the anchor that a heading gets on the usual web sites."""
    kept = "".join(mark for mark in heading.lower() if mark.isalnum() or mark in " -_")
    return kept.replace(" ", "-")


def _one_line(node: Node) -> str:
    said = node.get("description")
    if said is None and "$ref" in node:
        said = schema()["$defs"][_target(node)].get("description")
    return " ".join(str(said or "").split()).replace("|", "\\|")


def _target(node: Node) -> str:
    return str(node["$ref"]).rpartition("/")[2]


def _default(node: Node) -> str:
    value = node.get("default")
    if value is None or isinstance(value, dict):
        return "-"
    if _is_size(node):
        return written(value)
    shown = json.dumps(value, ensure_ascii=False).strip('"')
    return f"`{shown}`" if shown else "empty"


def _is_size(node: Node) -> bool:
    return any(variant.get("pattern") == PATTERN for variant in node.get("anyOf", ()))


def _takes(node: Node) -> str:
    if "$ref" in node:
        return _named(_target(node))
    variants = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if _is_size(node):
        number = variants[0]
        return f"bytes, {written(number['minimum'])} to {written(number['maximum'])}"
    if variants:
        return " or ".join(dict.fromkeys(_takes(variant) for variant in variants))
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    return _typed(node)


def _typed(node: Node) -> str:
    kind = node.get("type")
    if kind == "array":
        return f"list of {_takes(node['items'])}"
    if kind == "object":
        values = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
        inner = next(value for value in values if isinstance(value, dict))
        return f"name → {_takes(inner)}"
    if kind == "boolean":
        return "`true`, `false`"
    if node.get("format") == "date":
        return "YYYY-MM-DD"
    pattern = str(node.get("pattern", ""))
    shown = f" `{pattern}`".replace("|", "\\|") if 0 < len(pattern) < _PATTERN_CHARACTERS else ""
    return _bounded(_WORDS.get(str(kind), "value") + shown, node)


def _bounded(word: str, node: Node) -> str:
    bounds = [f"{sign} {node[name]:,}" for name, sign in _BOUNDS if node.get(name) is not None]
    return ", ".join([word, *bounds])


def _named(name: str) -> str:
    node = schema()["$defs"][name]
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    heading = _heading(name)
    return f"[{heading}](#{_anchor(heading)})"


def write(root: Path) -> None:
    """Write the page and the schema below ``root``."""
    (root / PAGE).write_text(reference(), encoding="utf-8")
    (root / SCHEMA).parent.mkdir(parents=True, exist_ok=True)
    (root / SCHEMA).write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    write(Path())
