"""Stripes in few bytes: the fields of their slices as columns of JSON, deflated.

A slice costs about 70 bytes, nearly all of them its id and its version. What repeats in a slice
(the relative key at the end of the key, the label that is one of the two or the id) is written
as a number, so that it costs nothing. One stripe is in memory at a time.
"""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

from repatria.names import DatasetName, SiteName, SliceId
from repatria.plan import Stripe
from repatria.slice import Slice, cut_text, parse_cut
from repatria.stored import ObjectVersion

_FORM: Final = 1
_LABEL_IS: Final = ("relative", "key", "id")


def pack(stripe: Stripe) -> bytes:
    """Write the slices of a stripe."""
    slices = stripe.slices
    body = {
        "form": _FORM,
        "id": [piece.id for piece in slices],
        "dataset": [piece.dataset for piece in slices],
        "site": [piece.site for piece in slices],
        "key": [piece.object.key for piece in slices],
        "size": [piece.object.size for piece in slices],
        "etag": [piece.object.etag for piece in slices],
        "version": [piece.object.version for piece in slices],
        "relative": [_relative(piece) for piece in slices],
        "label": [_label(piece) for piece in slices],
        "cut": [cut_text(piece.cut) for piece in slices],
        "number": [piece.number for piece in slices],
    }
    return zlib.compress(json.dumps(body, separators=(",", ":")).encode("ascii"), 6)


def unpack(number: int, dataset: str, packed: bytes) -> Stripe:
    """Read what ``pack`` wrote."""
    body = json.loads(zlib.decompress(packed))
    assert body.pop("form") == _FORM, "a stripe is written in the one form there is"
    names = tuple(body)
    rows = zip(*body.values(), strict=True)
    slices = tuple(_slice(dict(zip(names, row, strict=True))) for row in rows)
    return Stripe(number=number, dataset=DatasetName(dataset), slices=slices)


def _slice(told: dict[str, Any]) -> Slice:
    key, relative, label = told["key"], told["relative"], told["label"]
    relative = key[relative:] if isinstance(relative, int) else relative
    if isinstance(label, int):
        label = {"relative": relative, "key": key, "id": told["id"]}[_LABEL_IS[label]]
    return Slice(
        id=SliceId(told["id"]),
        dataset=DatasetName(told["dataset"]),
        site=SiteName(told["site"]),
        object=ObjectVersion(key, told["size"], told["etag"], told["version"]),
        relative=relative,
        label=label,
        cut=parse_cut(told["cut"]),
        number=told["number"],
    )


def _relative(piece: Slice) -> int | str:
    key, relative = piece.object.key, piece.relative
    return len(key) - len(relative) if key.endswith(relative) else relative


def _label(piece: Slice) -> int | str:
    same = (piece.relative, piece.object.key, piece.id)
    return same.index(piece.label) if piece.label in same else piece.label
