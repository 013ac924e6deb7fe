"""Strict YAML: plain, small and unsurprising."""

from __future__ import annotations

import pytest

from repatria.config.yaml_strict import BYTES_MAX, NODES_MAX, parse

WORDS = [
    *("NO", "no", "Yes", "on", "off", "y", "True", "FALSE", "Null", "NULL", "=", "<<"),
    *("1_000", "0777", "0x1F", "0o17", "12:30:45", "2026-01-01", "-01", "\u0663", "9" * 30),
    *(".5", "5.", "+1", ".inf", ".nan", "1e"),
]


def value_of(text: str) -> object:
    parsed = parse(f"key: {text}\n".encode(), "f.yaml")
    assert parsed.problems == []
    assert isinstance(parsed.value, dict)
    return parsed.value["key"]


def complaints(text: str) -> list[str]:
    return [str(problem) for problem in parse(text.encode(), "f.yaml").problems]


@pytest.mark.parametrize("word", WORDS)
def test_a_plain_word_is_text_whatever_older_yaml_made_of_it(word: str) -> None:
    assert value_of(word) == word


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("1000", 1000),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("2e3", 2000.0),
    ],
)
def test_few_words_mean_something_else(word: str, value: object) -> None:
    found = value_of(word)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("quoted", ['"true"', "'1000'", '"null"', "'~'", "|-\n  1000"])
def test_what_is_quoted_is_text(quoted: str) -> None:
    assert isinstance(value_of(quoted), str)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: stands here twice; first in line 1"),
        ("x:\n  a: {b: 1, b: 2}\n", "f.yaml:2: x.a.b: stands here twice"),
        ("a: &name 1\n", "f.yaml:1: a: anchors are refused"),
        ("a: 1\nb: *a\n", "f.yaml:2: b: aliases are refused"),
        ("<<: {a: 1}\n", "f.yaml:1: <<: merge keys are refused"),
        ("a: !!python/object/apply:os.getcwd []\n", "f.yaml:1: a: tags are refused"),
        ("a: !!str 1\n", "tags are refused"),
        ("1: one\n", "f.yaml:1: 1: a key must be text"),
        ("true: one\n", "a key must be text"),
        ("? [a, b]\n: one\n", "a key must be text"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: holds a second document"),
        ("%YAML 1.1\n---\na: 1\n", "directive"),
        ("a: [1, 2\n", "is not YAML"),
        ("a:\n\t- 1\n", "f.yaml:2: is not YAML"),
        ("a: \x00\n", "does not allow"),
        ('a: "\\ud800"\n', "lone surrogate"),
        ("[" * 50 + "]" * 50, "nested deeper"),
    ],
)
def test_what_is_refused_is_refused_with_its_line(text: str, says: str) -> None:
    assert any(says in complaint for complaint in complaints(text)), complaints(text)


def test_an_alias_bomb_is_a_few_complaints_and_no_large_value() -> None:
    layers = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    parsed = parse("\n".join(["l0: &l0 [x]", *layers]).encode(), "f.yaml")
    assert any("aliases are refused" in str(problem) for problem in parsed.problems)
    assert len(parsed.marks) < 400


def test_a_file_has_a_size_and_a_number_of_values_at_most() -> None:
    assert "larger than" in str(parse(b"#" * (BYTES_MAX + 1), "f.yaml").problems[0])
    many = b"a: [" + b"1," * NODES_MAX + b"1]"
    parsed = parse(many, "f.yaml")
    assert "more than 10000 values" in str(parsed.problems[0])
    assert not parsed.whole


def test_every_problem_of_a_file_is_told_not_only_the_first() -> None:
    assert len(complaints("a: &x 1\na: 2\nb: !t 3\n")) == 3


def test_what_is_not_utf_8_is_refused() -> None:
    assert "is not UTF-8" in str(parse(b"a: \xff\n", "f.yaml").problems[0])


def test_everything_has_a_line() -> None:
    parsed = parse(b"a:\n  b:\n    - 1\n    - c: 2\n", "f.yaml")
    lines = {path: mark.line for path, mark in parsed.marks.items()}
    assert lines[("a",)] == 1
    assert lines[("a", "b", 0)] == 3
    assert lines[("a", "b", 1, "c")] == 4
