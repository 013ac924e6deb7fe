"""What is generated from the models of the configuration has not fallen behind them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from repatria.config.reference import PAGE, SCHEMA, reference
from repatria.config.schema import schema_text
from repatria.config.yaml_strict import parse

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "config").rglob("*.yaml"))
STALE = "run `python -m repatria.config.reference`"


def test_the_reference_is_what_the_models_say() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == reference(), STALE


def test_the_schema_is_what_the_models_say() -> None:
    assert (ROOT / SCHEMA).read_text(encoding="utf-8") == schema_text(), STALE


def test_every_link_of_the_reference_leads_to_a_heading() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    anchors = {"".join(c for c in it.lower() if c.isalnum() or c in " -_") for it in headings}
    linked = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert linked
    assert linked <= {anchor.replace(" ", "-") for anchor in anchors}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestEachFileOfTheExample:
    def test_fits_the_schema(self, path: Path) -> None:
        rules = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(rules)
        jsonschema.validate(parse(path.read_bytes(), path.name).value, rules)

    def test_points_editors_at_the_schema(self, path: Path) -> None:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert (path.parent / first.partition("$schema=")[2]).resolve() == ROOT / SCHEMA


def test_the_schema_refuses_what_the_models_refuse() -> None:
    rules = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
    wrongs: tuple[object, ...] = (
        {"sites": {"Dublin": {}}},
        {"limits": {"workers": 0}},
        {"regions": {"home": {"ie": "dublin-1"}}},
        {"unknown": 1},
    )
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, rules)
