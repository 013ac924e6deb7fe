"""The XML that S3 answers with, as far as clients read it. Source: Amazon S3 API reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from bench.server.shelf import Kept, Refusal, Shelf
from bench.server.wire import Answer, Request

_NAMESPACE: Final = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_PAGE_KEYS: Final = 1000


def document(root: str, inner: str, status: int = 200) -> Answer:
    """Return a document as an answer."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {_NAMESPACE}>{inner}</{root}>'
    return Answer(
        status=status, headers={"Content-Type": "application/xml"}, text=text.encode("utf-8")
    )


def refused(refusal: Refusal) -> Answer:
    """Return what S3 answers to a request that it refuses."""
    inner = f"<Code>{refusal.code}</Code><Message>{refusal.code}</Message>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Answer(
        status=refusal.status, headers={"Content-Type": "application/xml"}, text=text.encode()
    )


def buckets(names: Iterable[str]) -> Answer:
    """List the buckets."""
    entries = "".join(
        f"<Bucket><Name>{name}</Name><CreationDate>{_iso(0)}</CreationDate></Bucket>"
        for name in names
    )
    owner = "<Owner><ID>bench</ID></Owner>"
    return document("ListAllMyBucketsResult", f"{owner}<Buckets>{entries}</Buckets>")


def listing(shelf: Shelf, request: Request) -> Answer:
    """List one page of a bucket, in the first or the second version of the call."""
    query, second = request.query, request.query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = query.get("continuation-token") or query.get("start-after") or query.get("marker", "")
    limit = min(int(query.get("max-keys") or _PAGE_KEYS), _PAGE_KEYS)
    rows = _grouped(shelf.keys(request.bucket, prefix, after), prefix, delimiter, after)
    page = list(islice(rows.items(), limit))
    more = len(rows) > len(page)
    coded = quote if query.get("encoding-type") == "url" else escape
    entries = "".join(_entry(coded(key), kept) for key, kept in page)
    told = f"<Name>{request.bucket}</Name><Prefix>{coded(prefix)}</Prefix>"
    told += f"<MaxKeys>{limit}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
    if delimiter:
        told += f"<Delimiter>{coded(delimiter)}</Delimiter>"
    if coded is quote:
        told += "<EncodingType>url</EncodingType>"
    if second:
        told += f"<KeyCount>{len(page)}</KeyCount>"
    if more:
        name = "NextContinuationToken" if second else "NextMarker"
        told += f"<{name}>{escape(page[-1][0])}</{name}>"
    return document("ListBucketResult", told + entries)


def uploads(request: Request) -> Answer:
    """List no multipart upload: nobody needs to find those of others here."""
    inner = f"<Bucket>{request.bucket}</Bucket><IsTruncated>false</IsTruncated>"
    return document("ListMultipartUploadsResult", inner)


def began(request: Request, name: str) -> Answer:
    """Say under which name a multipart upload goes."""
    inner = f"<Bucket>{request.bucket}</Bucket><Key>{escape(request.key)}</Key>"
    return document("InitiateMultipartUploadResult", f"{inner}<UploadId>{name}</UploadId>")


def ended(request: Request, kept: Kept) -> Answer:
    """Say what a multipart upload became."""
    inner = f"<Bucket>{request.bucket}</Bucket><Key>{escape(request.key)}</Key>"
    return document("CompleteMultipartUploadResult", f'{inner}<ETag>"{kept.etag}"</ETag>')


def deleted(keys: Iterable[str]) -> Answer:
    """Say which objects were removed."""
    told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
    return document("DeleteResult", told)


def _grouped(
    found: Iterable[tuple[str, Kept]], prefix: str, delimiter: str, after: str
) -> Mapping[str, Kept | None]:
    """Fold keys that share what stands between prefix and delimiter into one entry."""
    rows: dict[str, Kept | None] = {}
    for key, kept in found:
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        if at < 0:
            rows[key] = kept
        elif (folded := key[: at + len(delimiter)]) != after:
            rows[folded] = None
    return rows


def _entry(key: str, kept: Kept | None) -> str:
    if kept is None:
        return f"<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"
    return (
        f"<Contents><Key>{key}</Key><LastModified>{_iso(kept.modified_s)}</LastModified>"
        f'<ETag>"{kept.etag}"</ETag><Size>{kept.size}</Size>'
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
