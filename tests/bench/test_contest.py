"""The benchmark runs: its store keeps its conditions, and Repatria's output is judged there."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from pyarrow import fs

from bench.contenders.order import KEY, SECRET
from bench.roster import contenders
from bench.rounds import figures, rounds
from bench.seed import Form, Shape, seeded
from bench.store import Store, served
from connectors.s3.client import S3Settings, connect
from repatria.names import SiteName


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served([], tmp_path) as running:
        running.make("b", "eu-west-1")
        yield running
    assert list(tmp_path.iterdir()) == []


def test_a_tiny_contest_ends_with_equal_outputs(tmp_path: Path) -> None:
    data = seeded(Shape(form=Form.PARQUET, objects=2, rows=1000), tmp_path)
    among = contenders(Form.PARQUET, ["repatria"])
    runs = list(rounds(data, among, 1, tmp_path))
    [found] = figures(data, among, runs)
    assert 0 < runs[0].rows_written < data.rows
    assert found.cpu_s > 0
    assert found.peak_bytes > 0


def test_a_body_in_chunks_within_chunks_arrives_as_it_was(store: Store) -> None:
    remote = fs.S3FileSystem(
        endpoint_override=store.endpoint.removeprefix("http://"),
        scheme="http",
        access_key=KEY,
        secret_key=SECRET,
        region="eu-west-1",
    )
    body = bytes(range(256)) * 50_000
    with remote.open_output_stream("b/whole") as sink:
        sink.write(body)
    assert store.get("b", "whole") == body
    with remote.open_input_file("b/whole") as source:
        source.seek(len(body) - 300)
        assert source.read() == body[-300:]


def test_a_put_on_a_condition_that_does_not_hold_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    settings = S3Settings(site=SiteName("x"), bucket="b", endpoint_url=store.endpoint)
    s3 = connect(settings, read_only=False)
    etag = s3.put_object(Bucket="b", Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    s3.put_object(Bucket="b", Key="k", Body=b"2", IfMatch=etag)
    for refused in (
        {"IfNoneMatch": "*"},
        {"IfMatch": etag},
        {"ChecksumSHA256": "A" * 43 + "="},
        {"ContentMD5": "A" * 22 + "=="},
    ):
        with pytest.raises(ClientError):
            s3.put_object(Bucket="b", Key="k", Body=b"3", **refused)  # type: ignore[arg-type]
    assert store.get("b", "k") == b"2"
    s3.close()


def test_a_listing_is_paged_to_its_end(store: Store) -> None:
    line = http.client.HTTPConnection("127.0.0.1", store.port)
    for number in range(1001):
        line.request("PUT", f"/b/n/{number:04d}", b"")
        line.getresponse().read()
    line.close()
    assert store.keys("b", "n/") == [f"n/{number:04d}" for number in range(1001)]
    store.drop("b")
    with pytest.raises(RuntimeError):
        store.keys("b")
