"""What is written around the code: it is true, it is ours, and it betrays nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tidy.house import ROOT, SOURCE, files, place

PAGES = [it for it in files() if it.suffix == ".md"]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
# Written with brackets in them, so that no pattern finds itself.
FORBIDDEN = {
    "the address of a package index": "py(pi)[.](org|python)|python(hosted)|--(extra-)?(index)-url",
    "a path of somebody's machine": r"(?<![\w.<*/])/(work|root|home/\w+|Users/\w+)(/)\w",
    "a note to oneself": r"\b(TO)(DO)\b|\b(FIX)(ME)\b|\b(XX)(X)\b",
    "a secret key": r"PRIVATE (KEY)-----\s+\w{40}|\bAKIA(?!IOSFODNN7)[A-Z0-9]{16}\b",
}
GENERATED = {"requirements.lock"}
PICTURES = {".png"}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_contains(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{place(it)}: {match[0]}"
        for it in files()
        if it.name not in GENERATED
        and it.suffix not in PICTURES
        and (match := pattern.search(_text(it)))
    ]
    assert found == []


def test_every_decision_has_a_number_of_its_own() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [it.name[:4] for it in records]
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", it.name) for it in records)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == "0001"


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_make_command_on_a_page_exists(page: Path) -> None:
    named = re.findall(
        r"`make ([a-z]+)|^\s*(?:\$ )?make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE
    )
    assert {one or other for one, other in named} <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_laws_name_places_and_tests_that_exist() -> None:
    laws = (ROOT / "docs" / "laws.md").read_text("utf-8")
    named = re.findall(r"`((?:repatria|connectors|flows|tests)/[\w/.]+)`", laws)
    assert named
    assert [it for it in named if not (ROOT / it).exists()] == []


def test_every_word_of_the_glossary_is_used_somewhere_else() -> None:
    words = re.findall(r"\*\*([a-z-]+)\*\*", GLOSSARY)
    pages = [page for page in PAGES if page.name != "glossary.md"]
    said = "\n".join(it.read_text("utf-8").lower() for it in [*SOURCE, *pages])
    assert len(words) == len(set(words)) > 30
    assert [it for it in words if not re.search(rf"\b{it}", said)] == []


def test_the_glossary_says_each_word_once() -> None:
    first = re.findall(r"^\| \*\*([a-z-]+)\*\*", GLOSSARY, re.MULTILINE)
    assert {it: first.count(it) for it in first if first.count(it) > 1} == {}


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
