"""What is read from a listing in one pass is what the SDK would have read."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from connectors.s3.listing_page import take_entries

MODEL = botocore.session.get_session().get_service_model("s3").operation_model("ListObjectsV2")
FRONT = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.example/">'
HEAD = "<Name>bucket</Name><Prefix/><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
ENTRY = (
    "<Contents><Key>a/b</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>"
    "<ETag>&quot;0123&quot;</ETag><Size>17</Size><StorageClass>GLACIER</StorageClass></Contents>"
)

keys = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\r￾￿"))
moments = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  Bounds are without a zone.


def parsed(document: bytes, *, quick: bool) -> dict[str, Any]:
    """Parse as the SDK does, with the hook or without."""
    answer: dict[str, Any] = {"headers": {}, "status_code": 200, "body": document}
    more: dict[str, Any] = {}
    if quick:
        take_entries(response_dict=answer, customized_response_dict=more)
    assert MODEL.output_shape is not None, "a listing has an answer"
    return {**create_parser("rest-xml").parse(answer, MODEL.output_shape), **more}


def taken(document: str, status: int = 200) -> bool:
    """Say whether the hook read the entries of a document."""
    more: dict[str, Any] = {}
    answer: dict[str, Any] = {"headers": {}, "status_code": status, "body": document.encode()}
    take_entries(response_dict=answer, customized_response_dict=more)
    return "Contents" in more


@st.composite
def entries(draw: st.DrawFn) -> str:
    """Draw an entry, its fields in any order and any of them absent."""
    moment = draw(moments).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = [
        f"<Key>{escape(draw(keys))}</Key>",
        f"<LastModified>{moment}</LastModified>",
        f"<ETag>&quot;{draw(st.integers(0, 2**128)):032x}&quot;</ETag>",
        f"<Size>{draw(st.integers(0, 2**53))}</Size>",
        f"<StorageClass>{draw(st.sampled_from(['STANDARD', 'DEEP_ARCHIVE']))}</StorageClass>",
        "<Owner><ID>somebody</ID><Key>not the key</Key></Owner>",
        "<!-- a remark -->",
    ]
    return f"<Contents>{''.join(draw(st.permutations(fields)))}</Contents>"


@given(
    st.lists(entries(), min_size=1),
    st.sampled_from(["", "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"]),
)
def test_a_page_read_in_one_pass_is_the_page_that_the_sdk_reads(
    found: list[str], more: str
) -> None:
    document = f"{FRONT}{HEAD}{found[0]}{more}{''.join(found[1:])}</ListBucketResult>"
    assert taken(document)
    quick, slow = (parsed(document.encode(), quick=it) for it in (True, False))
    for entry in slow["Contents"]:
        entry.pop("Owner", None)
        assert isinstance(entry["LastModified"].tzinfo, tzinfo)
    assert quick == slow


TWICE = ENTRY.replace("<Size>17</Size>", "<Size>17</Size><Size>18</Size>")
DECLARED = FRONT.replace("<List", "<!DOCTYPE x [<!ENTITY y 'z'>]><List")
STRANGE = {
    "empty": f"{FRONT}{HEAD}</ListBucketResult>",
    "closed at once": f"{FRONT}{HEAD}<Contents/></ListBucketResult>",
    "spaced": f"{FRONT}{HEAD}{ENTRY.replace('</Contents>', '</Contents >')}</ListBucketResult>",
    "said twice": f"{FRONT}{HEAD}{TWICE}</ListBucketResult>",
    "no zone": f"{FRONT}{HEAD}{ENTRY.replace('.678Z', '.678')}</ListBucketResult>",
    "doctype": f"{DECLARED}{HEAD}{ENTRY}</ListBucketResult>",
    "an error": f"<Error><Code>SlowDown</Code>{ENTRY}</Error>",
}


@pytest.mark.parametrize("document", STRANGE.values(), ids=STRANGE)
def test_what_is_not_plainly_a_page_is_left_to_the_sdk(document: str) -> None:
    assert not taken(document)


@pytest.mark.parametrize("document", [f"{FRONT}{HEAD}{ENTRY}", "", "no XML"])
def test_a_damaged_page_is_left_to_the_sdk(document: str) -> None:
    assert not taken(document)


def test_an_answer_that_failed_is_left_to_the_sdk() -> None:
    document = f"{FRONT}{HEAD}{ENTRY}</ListBucketResult>"
    assert taken(document)
    assert not taken(document, status=503)
