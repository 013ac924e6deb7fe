"""Secret keys: one master key, from which a key for each purpose is derived.

A purpose's key is HMAC-SHA256 of ``repatria key 1``, a zero byte and the purpose, under the
master key: knowing one says nothing about another. A key that others could read, or that is not
exactly a key, is refused, and no message ever shows a part of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from repatria.errors import KeyAbsent, KeyRefused

KEY_BYTES: Final = 32


class DerivedKeys:
    """Keys derived from a master key of 32 bytes."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise KeyRefused("a master key has 32 bytes", bytes=len(master))
        self._master = master

    def key(self, purpose: str) -> bytes:
        told = b"repatria key 1\x00" + purpose.encode()
        return hmac.new(self._master, told, hashlib.sha256).digest()


class FileKeys(DerivedKeys):
    """Keys from a file of 32 random bytes, mode 0600, our own and no symbolic link."""

    def __init__(self, path: Path) -> None:
        """Read the master key. Raises ``KeyRefused`` if the file is not as it must be."""
        super().__init__(_read(path))

    @classmethod
    def create(cls, path: Path) -> FileKeys:
        """Make a new master key and the file for it. Raises ``KeyRefused`` if there is one."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileExistsError as error:
            raise KeyRefused("a key is never overwritten", file=str(path)) from error
        except OSError as error:
            raise KeyRefused("a key file cannot be made", file=str(path)) from error
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        return cls(path)


class EnvironmentKeys(DerivedKeys):
    """Keys from a variable: 32 bytes as 64 hexadecimal digits, or as base64."""

    def __init__(self, variable: str, environment: Mapping[str, str] | None = None) -> None:
        """Read the master key. Raises ``KeyRefused`` if it is absent or not a key."""
        found = (os.environ if environment is None else environment).get(variable, "").strip()
        if not found:
            raise KeyRefused("the variable of the master key is not set", variable=variable)
        super().__init__(_decoded(found, variable))


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise KeyAbsent("there is no secret key yet", file=path.name) from error
        reason = "a symbolic link" if path.is_symlink() else "unreadable"
        raise KeyRefused("the key file cannot be opened", file=str(path), why=reason) from error
    try:
        _require_private(os.fstat(descriptor), str(path))
        return os.read(descriptor, KEY_BYTES)
    finally:
        os.close(descriptor)


def _require_private(found: os.stat_result, file: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise KeyRefused("the key file is not a file", file=file)
    if found.st_uid != os.geteuid():
        raise KeyRefused("the key file belongs to somebody else", file=file)
    if found.st_mode & 0o077:
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        raise KeyRefused("the key file is open to others", file=file, mode=mode)
    if found.st_size != KEY_BYTES:
        raise KeyRefused("the key file does not hold 32 bytes", file=file)


def _decoded(text: str, variable: str) -> bytes:
    try:
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise KeyRefused("the master key is neither hex nor base64", variable=variable) from None
