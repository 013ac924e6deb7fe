"""What a role must be allowed to do at a store: for documentation, and for what doctor says.

Source: "Actions, resources, and condition keys for Amazon S3", Service Authorization Reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from repatria.site import Role


@dataclass(frozen=True, slots=True)
class Permission:
    """One action that a role needs, on the bucket or on its objects, and what it is needed for."""

    action: str
    on_objects: bool
    why: str


_READ: Final = (
    Permission("s3:ListBucket", on_objects=False, why="list; and 404, not 403, for what is absent"),
    Permission("s3:GetBucketLocation", on_objects=False, why="see where the bucket really is"),
    Permission("s3:GetBucketVersioning", on_objects=False, why="see whether versions are kept"),
    Permission("s3:GetObject", on_objects=True, why="read"),
    Permission("s3:GetObjectVersion", on_objects=True, why="read exactly the planned version"),
    Permission("s3:GetObjectTagging", on_objects=True, why="carry tags over"),
    Permission("s3:GetObjectVersionTagging", on_objects=True, why="the same, of a version"),
)
_ARRIVE: Final = (
    Permission("s3:GetEncryptionConfiguration", on_objects=False, why="see where the key lives"),
    Permission("s3:PutObject", on_objects=True, why="put parcels, on conditions"),
    Permission("s3:PutObjectTagging", on_objects=True, why="keep tags"),
    Permission("kms:GenerateDataKey", on_objects=False, why="encrypt, where a KMS key is named"),
    Permission("kms:Decrypt", on_objects=False, why="read back, where a KMS key is named"),
)

_PUTS: Final = frozenset({"s3:PutObject", "s3:PutObjectTagging"})


def needed(role: Role, *, rehearsing: bool = False) -> tuple[Permission, ...]:
    """Return what ``role`` needs; a rehearsal needs nothing that writes. No role may delete."""
    if role is not Role.ENCLAVE:
        return _READ
    every = (*_READ, *_ARRIVE)
    return tuple(one for one in every if not (rehearsing and one.action in _PUTS))
