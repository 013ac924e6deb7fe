"""Laws of the digest, and of reading what anybody may write."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from repatria.config.digest import changes, digest
from repatria.config.endpoint import checked_endpoint
from repatria.config.size import size, written
from repatria.config.yaml_strict import parse

LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "b", "NO"])
KEYS = st.sampled_from(["a", "b", "c", "d"])
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_size=4,
)


def form(tree: object) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


@given(TREES, TREES)
def test_there_are_changes_exactly_where_forms_differ(old: object, new: object) -> None:
    before, after = form(old), form(new)
    assert bool(changes(before, after)) == (before != after)
    assert (digest(before) == digest(after)) == (before == after)
    assert len(changes(before, after)) == len(changes(after, before))


@given(TREES)
def test_what_a_tool_writes_is_read_as_it_was(tree: dict[str, Any]) -> None:
    """PyYAML quotes what YAML 1.1 would misread; it must not matter to us."""
    written_out = yaml.safe_dump(json.loads(json.dumps(tree)))
    parsed = parse(written_out.encode(), "f.yaml")
    assert parsed.problems == []
    assert parsed.value == tree


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_no_bytes_make_the_reader_fall(data: bytes) -> None:
    parsed = parse(data, "f.yaml")
    assert parsed.whole or parsed.problems


@given(st.text(alphabet="&*!<>[]{}:-,#|?%@`'\" \n\tab1", max_size=60))
def test_no_marks_make_the_reader_fall(text: str) -> None:
    parsed = parse(text.encode(), "f.yaml")
    assert parsed.whole or parsed.problems


@given(st.text(max_size=60) | st.text(max_size=30).map(lambda rest: f"https://{rest}"))
def test_an_endpoint_is_refused_or_stable(text: str) -> None:
    try:
        form_of_it = checked_endpoint(text)
    except ValueError:
        return
    assert checked_endpoint(form_of_it) == form_of_it


@given(st.integers(0, 2**60))
def test_a_size_is_read_as_it_is_written(count: int) -> None:
    text = written(count)
    assert size(text if " " in text else int(text)) == count
