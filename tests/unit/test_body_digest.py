"""CRCs of bodies: the compiled ones are those that are published, cut however one likes."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import zlib
from collections.abc import Iterator
from random import Random

import pyarrow as pa
import pytest

from connectors.body_digest import Comparison, Crc, as_sent, begun, comparable, md5_of, wanted
from repatria.errors import Garbled
from repatria.names import SiteName
from repatria.native.library import opened
from repatria.stored import Checksum, Found, ObjectVersion
from tests.compiled import library_file

SITE = SiteName("us-east")
CHECKS = {"CRC32": "cbf43926", "CRC32C": "e3069283", "CRC64NVME": "ae8b14860a799888"}
"""Of the digits 1 to 9; G. Cook, catalogue of parametrised CRC algorithms."""
POLYNOMIALS = {"CRC32": 0xEDB88320, "CRC32C": 0x82F63B78, "CRC64NVME": 0x9A6C9329AC4BC9B5}
ZEROS_32 = {"CRC32": "190a55ad", "CRC32C": "8a9136aa", "CRC64NVME": "cf3473434d4ecf3b"}
"""Of 32 zeros: RFC 3720 B.4 for CRC-32C; the others as their polynomials give them."""


@pytest.fixture(scope="module")
def library() -> Iterator[ctypes.CDLL]:
    with library_file() as path:
        found = opened(path)
        assert found is not None, "the library has the version that its module asks for"
        yield found


def slow(algorithm: str, data: bytes) -> bytes:
    """Divide bit by bit."""
    width = len(CHECKS[algorithm]) * 4
    ones = (1 << width) - 1
    register = ones
    for octet in data:
        register ^= octet
        for _ in range(8):
            register = (register >> 1) ^ (POLYNOMIALS[algorithm] if register & 1 else 0)
    return (register ^ ones).to_bytes(width // 8, "big")


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("algorithm", CHECKS)
def test_a_crc_is_the_one_that_is_published(
    library: ctypes.CDLL, algorithm: str, plain: bool
) -> None:
    for data, published in ((b"123456789", CHECKS), (bytes(32), ZEROS_32)):
        crc = Crc(algorithm, library, plain=plain)
        crc.update(data)
        assert crc.digest().hex() == published[algorithm]
        assert slow(algorithm, data).hex() == published[algorithm]


@pytest.mark.parametrize("algorithm", CHECKS)
def test_folded_by_tables_and_slowly_a_crc_is_the_same_at_every_length(
    library: ctypes.CDLL, algorithm: str
) -> None:
    data = Random(algorithm).randbytes(700)
    for length in (*range(300), 511, 512, 513, 640, 700):
        # Not where an allocation begins: loads must not ask for that.
        some = memoryview(data)[len(data) - length :]
        ways = [Crc(algorithm, library, plain=plain) for plain in (False, True)]
        for way in ways:
            way.update(some)
        assert {way.digest() for way in ways} == {slow(algorithm, bytes(some))}, length


@pytest.mark.parametrize("algorithm", CHECKS)
def test_a_body_that_comes_in_pieces_has_the_crc_of_the_whole(
    library: ctypes.CDLL, algorithm: str
) -> None:
    rng = Random(algorithm)
    data = rng.randbytes(100_000)
    whole = Crc(algorithm, library, plain=True)
    whole.update(data)
    for longest in (7, 100, 1000, 50_000):
        crc, at = Crc(algorithm, library), 0
        while at < len(data):
            length = rng.randint(0, longest)
            crc.update(data[at : at + length])
            at += length
        assert crc.digest() == whole.digest()


def test_no_flipped_bit_leaves_a_crc_as_it_was(library: ctypes.CDLL) -> None:
    body = bytearray(Random(1).randbytes(600))
    for algorithm in CHECKS:
        right = Crc(algorithm, library)
        right.update(bytes(body))
        for at in range(0, 8 * len(body), 7):
            body[at // 8] ^= 1 << at % 8
            crc = Crc(algorithm, library)
            crc.update(bytes(body))
            body[at // 8] ^= 1 << at % 8
            assert crc.digest() != right.digest()


def test_without_a_library_there_is_the_crc_of_zlib_and_no_other() -> None:
    crc = begun("CRC32", None)
    assert crc is not None
    for piece in (b"1234", b"", b"56789"):
        crc.update(piece)
    assert crc.digest() == zlib.crc32(b"123456789").to_bytes(4, "big")
    assert begun("CRC32C", None) is None
    assert begun("CRC64NVME", None) is None


def test_hashes_that_stores_may_keep_are_known_and_others_are_not() -> None:
    for algorithm in ("SHA512", "SHA256", "SHA1", "MD5"):
        digest = begun(algorithm)
        assert digest is not None
        digest.update(b"body")
        expected = hashlib.new(algorithm.lower(), b"body", usedforsecurity=False).digest()
        assert digest.digest() == expected
    assert begun("XXHASH64") is None


def told(algorithm: str, value: bytes) -> Checksum:
    return Checksum(algorithm, base64.b64encode(value).decode())


def test_what_cannot_be_the_value_of_an_algorithm_is_not_compared_with() -> None:
    assert comparable(told("SHA1", bytes(20)))
    assert not comparable(told("SHA1", bytes(19)))
    assert not comparable(Checksum("SHA1", "not base64"))
    assert not comparable(told("XXHASH64", bytes(8)))


def test_a_body_is_compared_with_what_a_store_says_or_with_its_md5_or_with_nothing() -> None:
    etag = hashlib.md5(b"body").hexdigest()
    plain = Found(object=ObjectVersion("k", 4, etag), etag_is_md5=True)
    sha1 = told("SHA1", hashlib.sha1(b"body").digest())
    named = Found(object=plain.object, checksum=sha1, etag_is_md5=True)
    strange = Found(object=plain.object, checksum=told("XXHASH64", bytes(8)), etag_is_md5=True)
    assert wanted(named) == sha1
    assert wanted(plain) == wanted(strange) == md5_of(etag)
    assert wanted(Found(object=plain.object, etag_is_md5=False)) is None


def compared(said: Checksum | None, body: bytes) -> Comparison:
    comparison = Comparison(said, SITE)
    comparison.update(body)
    return comparison


def test_another_body_is_garbled_and_one_of_which_nothing_is_said_is_not() -> None:
    said = md5_of(hashlib.md5(b"body").hexdigest())
    compared(said, b"body").end()
    compared(None, b"whatever").end()
    with pytest.raises(Garbled, match="checksum"):
        compared(said, b"bodi").end()


def test_a_second_opinion_counts_if_it_is_of_the_same_algorithm() -> None:
    said = md5_of(hashlib.md5(b"body").hexdigest())
    other = compared(md5_of(hashlib.md5(b"other").hexdigest()), b"body")
    assert not other.equal
    assert other.comes_to(said)
    assert not other.comes_to(None)
    assert not other.comes_to(told("SHA1", hashlib.sha1(b"body").digest()))
    assert not compared(None, b"body").comes_to(said)


def test_what_was_stored_is_what_was_sent_or_it_is_garbled() -> None:
    stored, sent = pa.py_buffer(bytearray(b"body")), pa.py_buffer(b"body")
    assert as_sent(stored, sent, SITE) is stored, "never our own bytes for those of the store"
    for other in (b"bod", b"bodi", b"body "):
        with pytest.raises(Garbled):
            as_sent(pa.py_buffer(other), sent, SITE)
