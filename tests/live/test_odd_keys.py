"""Odd but legal keys arrive unchanged at a real server, and no key ever becomes a local path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from tests.live import settings
from tests.live.console import Console
from tests.live.witness import MANIFEST, listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LONGEST = "long/" + "x" * 1006 + ".jsonl"
ODD = (
    "a b+c.jsonl",
    " begins and ends with a blank ",
    "100%.jsonl",
    "a%2Fb.jsonl",
    "a%252Fb.jsonl",
    "caf\u00e9.jsonl",
    "cafe\u0301.jsonl",
    "東京/søndag ☃ 🛶.jsonl",
    "../escaped.jsonl",
    "../../../../escaped.jsonl",
    "./dot.jsonl",
    "//two.jsonl",
    "a//b.jsonl",
    "ends-in-a-slash/",
    "?query=1&x=[2]#fragment",
    "quote\"'<>&.jsonl",
    "back\\slash.jsonl",
    "star*{brace}|^~`.jsonl",
    "~part-1.jsonl",
    "semi;colon:@=,!$()",
    "tab\there.jsonl",
    "-",
    LONGEST,
)
OURS = ("a~part-00001-00000.jsonl", "b~part-00000-00002", "_repatria/manifest.parquet")
PREFIX = "people/"
HERE = 2
"""Records of each object that move; a third stays."""


@pytest.fixture
def s3(s3_endpoint: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKIALIVETEST",
        aws_secret_access_key="not a secret",
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture
def buckets(
    s3: S3Client, s3_endpoint: str, fresh_name: str, console: Console, tmp_path: Path
) -> tuple[str, str]:
    """A bucket of people and an empty home, and the configuration that joins them."""
    old, home = f"{fresh_name}-old", f"{fresh_name}-home"
    s3.create_bucket(Bucket=old)
    s3.create_bucket(Bucket=home, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    legacy = {"endpoint": s3_endpoint, "region": "us-east-1", "bucket": old}
    dublin = {"endpoint": s3_endpoint, "region": "eu-west-1", "bucket": home}
    settings.write(
        tmp_path,
        {
            "sites": {
                "us-east": settings.site("legacy-primary", "US", legacy),
                "dublin-1": settings.site("enclave", "IE", dublin),
            },
            "regions": {
                "groups": {"IE": {"countries": ["IE"]}},
                "home": {"default": "dublin-1"},
            },
            "datasets": {
                "people": {
                    "prefix": PREFIX,
                    "format": "jsonl",
                    "identity": ["id"],
                    "user": "id",
                    "residency": {"column": "country"},
                }
            },
            "limits": {"attempts": 2, "wait_s_max": 0.1},
            "state": {"folder": "../state", "jurisdiction": "IE"},
            "runner": "threads",
        },
    )
    console.expect(0, "init")
    return old, home


def lines(number: int) -> tuple[bytes, bytes]:
    """Return the lines of an object that move, and one that stays."""
    moving = [{"id": f"u-{number}-{n}", "country": "IE"} for n in range(HERE)]
    stays = {"id": f"s-{number}", "country": "US"}
    return b"".join(json.dumps(it).encode() + b"\n" for it in moving), json.dumps(stays).encode()


def test_every_key_arrives_as_it_is_and_nothing_is_made_of_it_on_this_machine(
    s3: S3Client, buckets: tuple[str, str], console: Console, tmp_path: Path
) -> None:
    old, home = buckets
    assert len(f"{PREFIX}{LONGEST}".encode()) == 1024
    for number, key in enumerate(ODD):
        s3.put_object(Bucket=old, Key=PREFIX + key, Body=b"".join(lines(number)))
    sources = sorted(listed(s3, old))
    assert sources == sorted(PREFIX + key for key in ODD), "the server itself keeps these keys"

    for verb in (["plan"], ["migrate", "--live"], ["verify"]):
        console.expect(0, *verb)

    front = f"{PREFIX}region=IE/"
    arrived = {
        key.removeprefix(front): key for key in listed(s3, home, front) if "manifest" not in key
    }
    (shortened,) = arrived.keys() - set(ODD)
    assert shortened.startswith("_repatria/long/")
    assert set(ODD) - arrived.keys() == {LONGEST}
    for number, key in enumerate(ODD):
        body = s3.get_object(Bucket=home, Key=arrived[shortened if key == LONGEST else key])
        assert body["Body"].read() == lines(number)[0], key
    assert sorted(listed(s3, old)) == sources
    state = tmp_path / "state"
    for folder in (state / "spill", state, *state.parents, Path.cwd()):
        assert not (folder / "escaped.jsonl").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"config", "state"}


def test_a_key_that_looks_like_one_of_ours_is_refused_with_the_reason_and_the_rest_moves(
    s3: S3Client, buckets: tuple[str, str], console: Console
) -> None:
    old, home = buckets
    s3.put_object(Bucket=old, Key=f"{PREFIX}fine.jsonl", Body=lines(1)[0])
    for key in OURS:
        s3.put_object(Bucket=old, Key=PREFIX + key, Body=lines(2)[0])
    console.expect(0, "plan")
    told = json.loads(console.expect(14, "migrate", "--live", "--json").out)
    whys = {failure["object"].removesuffix(" at us-east"): failure for failure in told["failures"]}
    assert whys.keys() == set(OURS)
    for key in OURS:
        reason = "begins with _repatria/" if key.startswith("_") else "~part-"
        assert reason in whys[key]["why"]
    arrived = set(listed(s3, home, PREFIX))
    assert arrived == {f"{PREFIX}region=IE/{key}" for key in ("fine.jsonl", MANIFEST)}
    assert console.run("verify").code == 14, "what was not read is not verified"
