"""An S3 store of as many objects as one likes, none of which exists: for planning at full scale.

Every key holds the same small Parquet object, and every page of a listing is made when it is asked
for, so that the store costs neither disk nor memory and little of the machine's time.
"""

from __future__ import annotations

import io
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

BUCKETS: Final = {"primary": "us-east-1", "backup": "ap-southeast-1", "home": "eu-west-1"}
"""What each bucket says of its place. The home is empty; the others hold the same objects."""

PAGE: Final = 1_000
_ENTRY: Final = (
    "<Contents><Key>profiles/part-%010d.parquet</Key><LastModified>2026-01-01T00:00:00.000Z"
    "</LastModified><ETag>&quot;%032x-2&quot;</ETag><Size>%d</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)
_NUMBER: Final = re.compile(r"part-(\d{10})\.parquet\Z")
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


def body(rows: int) -> bytes:
    """Return the one object: ``rows`` synthetic profiles, a third of them European."""
    countries = ("US", "IN", "DE", "BR", "FR", "JP", "IE", "MX", "ID")
    table = pa.table(
        {
            "user_id": [f"u-{number:08d}" for number in range(rows)],
            "country": [countries[number % len(countries)] for number in range(rows)],
            "bio": [f"{number * 2654435761 % 2**32:08x}" * 8 for number in range(rows)],
        }
    )
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


def _etag(number: int) -> int:
    return (number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128


class Handler(BaseHTTPRequestHandler):
    """Answers what planning asks: places, listings, looks and reads."""

    protocol_version = "HTTP/1.1"
    objects = 0
    content = b""

    def do_HEAD(self) -> None:
        """Answer a look."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer a listing, a place, or an object."""
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        bucket, _, key = parts.path.lstrip("/").partition("/")
        if "location" in query:
            self._say(
                f'{_XML}<LocationConstraint xmlns="{_NAMESPACE}">{BUCKETS[bucket]}'
                "</LocationConstraint>"
            )
        elif "versioning" in query:
            self._say(f'{_XML}<VersioningConfiguration xmlns="{_NAMESPACE}"/>')
        elif "tagging" in query:
            self._say(f"{_XML}<Tagging><TagSet/></Tagging>")
        elif key:
            self._object(key)
        elif "list-type" in query:
            self._list(bucket, {name: values[0] for name, values in query.items()})
        else:
            self._send(200, b"", {"x-amz-bucket-region": BUCKETS[bucket]})

    def _list(self, bucket: str, asked: dict[str, str]) -> None:
        size = min(PAGE, int(asked.get("max-keys", PAGE)))
        first = int(asked.get("continuation-token", "0"))
        if (last := _NUMBER.search(asked.get("start-after", ""))) is not None:
            first = max(first, int(last[1]) + 1)
        there = self.objects if bucket != "home" and asked["prefix"] == "profiles/" else 0
        stop = min(first + size, there)
        entries = "".join(
            [_ENTRY % (number, _etag(number), len(self.content)) for number in range(first, stop)]
        )
        more = stop < there
        token = f"<NextContinuationToken>{stop}</NextContinuationToken>" if more else ""
        self._say(
            f'{_XML}<ListBucketResult xmlns="{_NAMESPACE}"><Name>{bucket}</Name>'
            f"<Prefix>{asked['prefix']}</Prefix><KeyCount>{max(0, stop - first)}</KeyCount>"
            f"<MaxKeys>{size}</MaxKeys><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        )

    def _object(self, key: str) -> None:
        found = _NUMBER.search(key)
        if found is None:
            self._send(404, b"", {})
            return
        told = {
            "ETag": f'"{_etag(int(found[1])):032x}-2"',
            "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT",
            "Content-Type": "application/octet-stream",
        }
        if self.headers.get("If-Match", told["ETag"]) != told["ETag"]:
            self._send(412, b"", {})
            return
        if (asked := self.headers.get("Range")) is None:
            self._send(200, self.content, told)
            return
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, stop = int(first), min(int(last) + 1, len(self.content))
        told["Content-Range"] = f"bytes {start}-{stop - 1}/{len(self.content)}"
        self._send(206, self.content[start:stop], told)

    def _say(self, document: str) -> None:
        self._send(200, document.encode(), {"Content-Type": "application/xml"})

    def _send(self, status: int, content: bytes, told: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *_args: object) -> None:  # noqa: A002  Its base's name.
        """Say nothing."""


def serve(objects: int, rows: int) -> ThreadingHTTPServer:
    """Return a server on a free port of loopback, ready for ``serve_forever``."""
    Handler.objects, Handler.content = objects, body(rows)
    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
