"""Every parser that strangers' bytes reach, under a short seeded fuzz; and that a fuzz finds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.formats import packing
from tests.fire import fuzz
from tests.fire.fuzz import child, mutated, run
from tests.fire.fuzzed import TARGETS, Target

CASES = {"config": 60}
COMMON = 250


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_no_alteration_crashes_a_parser_or_is_taken_for_the_original(name: str) -> None:
    assert "refused" in child(name, 0, CASES.get(name, COMMON))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_samples_are_taken_as_they_are(name: str) -> None:
    target = TARGETS[name]
    for sample in target.samples():
        assert target.judge(sample, sample) in {"equal", "taken"}


def test_a_seed_gives_the_same_alteration_again() -> None:
    sample = bytes(range(256)) * 20
    altered = [mutated(sample, sample[::-1], Random(seed)) for seed in range(200)]
    assert altered == [mutated(sample, sample[::-1], Random(seed)) for seed in range(200)]
    assert sum(one != sample for one in altered) > 150


def test_a_parser_that_believes_anything_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = packing._inflated

    def altered(member: Any, rest: bytes) -> Iterator[bytes]:
        return (chunk.replace(b"u1", b"u2") for chunk in real(member, rest))

    monkeypatch.setattr(packing, "_inflated", altered)
    log = tmp_path / "seed"
    log.write_bytes(b" " * 20)
    with pytest.raises(AssertionError, match="taken for a whole one"):
        run(TARGETS["gzip"], 0, 200, log)
    assert int(log.read_bytes()) < 200


def test_a_parser_that_dies_or_hangs_is_named_with_its_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert fuzz.CASE_S_MAX <= 10
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SystemExit, match="csv: seed 7 ended with"):
        child("csv", 7, 1)


def test_every_target_can_be_asked_alone() -> None:
    assert all(isinstance(target, Target) for target in TARGETS.values())
    assert {"parquet", "jsonl", "csv", "gzip", "zstd", "manifest", "directory", "config"} <= set(
        TARGETS
    )
