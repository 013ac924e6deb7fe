"""An S3 server (moto) in a process of its own, so that it shares no interpreter with an engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@contextmanager
def s3_server() -> Iterator[str]:
    """Run a server for the length of a ``with`` block; yield its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fire.store"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "the S3 server did not start"
        yield url


@contextmanager
def plain_client(url: str) -> Iterator[S3Client]:
    """A client as anybody has one, to look into a store behind the engine's back."""
    client: S3Client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="witness",
        aws_secret_access_key="not-a-secret",
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    try:
        yield client
    finally:
        client.close()


def main() -> None:
    """Serve until standard input ends."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
