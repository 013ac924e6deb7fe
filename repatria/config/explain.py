"""From what pydantic says to problems that a person can act on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from repatria.config.problem import Path, Problem, shown

Schema = Mapping[str, Any]

_TEXT_WANTED: Final = "string_type"
_FOLLOWS: Final = "too_short"
"""What is said of a list as well, once an item of it is wrong."""

_REWORDED: Final = {
    "bool_type": "expected true or false",
    "int_type": "expected a whole number, in decimal and without separators",
    "float_type": "expected a number, in decimal and without separators",
    "date_from_datetime_parsing": "expected a day, as YYYY-MM-DD",
    "date_type": "expected a day, as YYYY-MM-DD",
    "tuple_type": "expected a list",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "model_attributes_type": "expected keys and values",
}


def explain(error: ValidationError, tree: object, schema: Schema) -> Iterator[Problem]:
    """Yield a problem for each error of a validation of ``tree`` by the model of ``schema``."""
    details = error.errors(include_url=False, include_context=False)
    located = [(_path(detail["loc"], tree), detail) for detail in details]
    for path, detail in located:
        if detail["type"] == _FOLLOWS and any(
            path == other[: len(path)] != other for other, _ in located
        ):
            continue
        yield Problem(path, _says(detail, path, schema), _value(detail, path))


def _path(loc: Path, tree: object) -> Path:
    """Return a location without what pydantic adds to it: tags of unions, marks of keys."""
    path = [part for part in loc if part != "[key]" and not str(part).startswith("<")]
    while len(path) > 1 and not _reaches(path[:-1], tree):
        path.pop()
    return tuple(path)


def _reaches(path: list[str | int], tree: object) -> bool:
    for part in path:
        inside = isinstance(tree, dict) and part in tree
        inside = inside or (isinstance(tree, list) and isinstance(part, int) and part < len(tree))
        if not inside:
            return False
        tree = tree[part]  # type: ignore[index]  # Just seen to be there.
    return True


def _value(detail: ErrorDetails, path: Path) -> str:
    unsayable = detail["type"] in ("extra_forbidden", "missing")
    return "" if unsayable else shown(detail["input"], path)


def _says(detail: ErrorDetails, path: Path, schema: Schema) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown(str(path[-1]), sorted(_keys(path[:-1], schema)))
    if kind == "missing":
        return f"missing; expected: {_meaning(path, schema)}"
    if kind == _TEXT_WANTED:
        is_word = isinstance(detail["input"], bool | int | float)
        return "expected text; put it in quotes" if is_word else "expected text"
    message = detail["msg"].removeprefix("Value error, ")
    message = re.sub(r"^(Input should be|Tuple should have) ", "expected ", message)
    message = re.sub(r"^String should ", "expected text to ", message)
    message = message.removesuffix(" after validation, not 0")
    return _REWORDED.get(kind, message)


def _unknown(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    return f"unknown key; {guess}expected one of: {', '.join(known) or 'none'}"


def _keys(path: Path, schema: Schema) -> set[str]:
    return {key for node in _nodes(path, schema) for key in node.get("properties", {})}


def _meaning(path: Path, schema: Schema) -> str:
    for node in _nodes(path[:-1], schema):
        described = node.get("properties", {}).get(path[-1], {})
        if "description" in described:
            return " ".join(described["description"].split())
    return "a value"


def _nodes(path: Path, schema: Schema) -> list[Schema]:
    """Return the parts of the schema that may describe ``path``."""
    nodes = _variants(schema, schema)
    for part in path:
        inner = [found for node in nodes for found in _inside(node, part)]
        nodes = [variant for node in inner for variant in _variants(node, schema)]
    return nodes


def _inside(node: Schema, part: str | int) -> Iterator[Schema]:
    named = node.get("properties", {}).get(part)
    for found in (named, node.get("additionalProperties"), node.get("items")):
        if isinstance(found, dict):
            yield found
    yield from node.get("patternProperties", {}).values()


def _variants(node: Schema, schema: Schema) -> list[Schema]:
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        return _variants(schema["$defs"][name], schema)
    inner = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    return [node, *(found for part in inner for found in _variants(part, schema))]
