"""The store of the benchmark keeps the checksums that S3 would, and tells them where S3 does."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bench.server.checksums import of_files
from bench.store import Store, served
from repatria.native.library import NATIVE

BODY = b"123456789"
CRC64NVME = base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()
TYPE = {"x-amz-checksum-type": "FULL_OBJECT"}
PUBLISHED = {"x-amz-checksum-crc64nvme": CRC64NVME, **TYPE}

pytestmark = pytest.mark.skipif(
    NATIVE is None, reason="NOT RUN for want of the compiled library: the CRC that S3 keeps"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    (folder / "whole").write_bytes(BODY)
    objects = [{"key": "a", "file": "whole", "size": len(BODY), "etag": "e"}]
    index = folder / "index.json"
    index.write_text(json.dumps({"bucket": "seeded", "objects": objects}), "utf-8")
    with served([index], folder) as running:
        running.make("parcels", "eu-west-1")
        yield running


def asked(
    store: Store, method: str, path: str, body: bytes = b"", **told: str
) -> tuple[int, Mapping[str, str], bytes]:
    """Send a request; return its status, what it says of checksums, and its body."""
    line = http.client.HTTPConnection("127.0.0.1", store.port)
    line.request(method, path, body, {name.replace("_", "-"): one for name, one in told.items()})
    answer = line.getresponse()
    content = answer.read()
    line.close()
    said = {name.lower(): one for name, one in answer.getheaders()}
    sums = {name: one for name, one in said.items() if name.startswith("x-amz-checksum")}
    return answer.status, sums, content


def test_what_is_put_without_a_checksum_has_the_one_that_s3_makes(store: Store) -> None:
    assert asked(store, "PUT", "/parcels/plain", BODY)[:2] == (200, PUBLISHED)
    for path in ("/parcels/plain", "/seeded/a"):
        for method in ("GET", "HEAD"):
            enabled = asked(store, method, path, x_amz_checksum_mode="ENABLED")
            assert enabled[:2] == (200, PUBLISHED)
            assert asked(store, method, path)[:2] == (200, {})


def test_a_piece_comes_without_the_checksum_of_the_whole(store: Store) -> None:
    piece = asked(store, "GET", "/seeded/a", Range="bytes=2-4", x_amz_checksum_mode="ENABLED")
    assert piece == (206, {}, b"345")


def test_a_checksum_that_the_writer_chose_is_checked_and_kept(store: Store) -> None:
    sha256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    kept = {"x-amz-checksum-sha256": sha256, **TYPE}
    assert asked(store, "PUT", "/parcels/told", BODY, x_amz_checksum_sha256=sha256)[1] == kept
    enabled = asked(store, "HEAD", "/parcels/told", x_amz_checksum_mode="ENABLED")
    assert enabled[1] == kept
    for wrong in ({"x_amz_checksum_sha256": sha256}, {"x_amz_checksum_crc64nvme": CRC64NVME}):
        assert asked(store, "PUT", "/parcels/wrong", BODY + b"0", **wrong)[0] == 400
    assert asked(store, "HEAD", "/parcels/wrong")[0] == 404


def test_a_trailer_names_what_is_kept(store: Store) -> None:
    crc32 = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    told = asked(store, "PUT", "/parcels/trailing", BODY, x_amz_trailer="x-amz-checksum-crc32")
    assert told[:2] == (200, {"x-amz-checksum-crc32": crc32, **TYPE})


def test_an_upload_in_parts_has_the_checksum_of_its_whole(store: Store) -> None:
    begun = asked(store, "POST", "/parcels/joined?uploads")[2]
    found = re.search(rb"<UploadId>(\w+)<", begun)
    assert found is not None
    name = found[1].decode()
    for number, part in ((1, BODY[:4]), (2, BODY[4:])):
        path = f"/parcels/joined?partNumber={number}&uploadId={name}"
        assert asked(store, "PUT", path, part)[0] == 200
    listed = "".join(f"<Part><PartNumber>{number}</PartNumber></Part>" for number in (1, 2))
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    assert asked(store, "POST", f"/parcels/joined?uploadId={name}", document)[0] == 200
    enabled = asked(store, "GET", "/parcels/joined", x_amz_checksum_mode="ENABLED")
    assert enabled == (200, PUBLISHED, BODY)


def test_an_empty_object_has_the_checksum_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert of_files([tmp_path / "empty"]) == {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA=", **TYPE}
