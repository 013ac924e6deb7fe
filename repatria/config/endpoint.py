"""Endpoints: which addresses of a store we are willing to talk to.

``https`` only, but for this machine itself; no user, path, query or fragment; no address of
the link or of a cloud's metadata service; and no number that libraries read in different ways
(``127.1``, ``0x7f.1``, ``2852039166``: the C library resolves them, ``ipaddress`` does not).
A name that *resolves* to such an address is the connector's to refuse, when it connects.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9-]{1,63})*\Z")
_LIKE_A_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")
_PLAIN: Final = re.compile(r"[!-~]{1,512}\Z")
_METADATA_NAMES: Final = frozenset({"metadata.google.internal", "metadata.goog", "instance-data"})
_METADATA: Final = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
_PORTS: Final = {"https": 443, "http": 80}
_LOOPBACK_NAME: Final = "localhost"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked_endpoint(text: str) -> str:
    """Return an endpoint as ``scheme://host[:port]``, lower case, without a default port.

    Raises ``ValueError`` that says what is wrong and never shows the endpoint.
    """
    parts = _split(text)
    host = (parts.hostname or "").lower()
    address = _address(host)
    _require_name_or_address(host, address)
    if parts.scheme != "https" and not _is_loopback(host, address):
        raise ValueError("expected https://; http:// is for loopback addresses alone")
    named = f"[{host}]" if isinstance(address, ipaddress.IPv6Address) else host
    port = parts.port
    own_port = port is not None and port != _PORTS[parts.scheme]
    return f"{parts.scheme}://{named}:{port}" if own_port else f"{parts.scheme}://{named}"


def same_machine(text: str) -> str:
    """Return what endpoints of one server have in common: every loopback name is one."""
    parts = urlsplit(text)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    return f"{'loopback' if _is_loopback(host, _address(host)) else host}:{port}"


def _split(text: str) -> SplitResult:
    if not _PLAIN.match(text):
        raise ValueError("expected https://host[:port] in plain ASCII, without blanks")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("expected https://host[:port]; host or port cannot be read") from None
    if parts.scheme not in _PORTS or port == 0:
        raise ValueError("expected https://host[:port]")
    if "@" in text:
        raise ValueError("expected no user or password; use credentials: {profile: …}")
    if parts.path not in ("", "/") or "?" in text or "#" in text or "\\" in text:
        raise ValueError("expected https://host[:port] without path, query or fragment")
    return parts


def _address(host: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _require_name_or_address(host: str, address: _Address | None) -> None:
    if address is None:
        if _LIKE_A_NUMBER.match(host.rpartition(".")[2]):
            raise ValueError("expected a name or a full dotted address; this number is ambiguous")
        if not _NAME.match(host):
            raise ValueError("expected a host name of letters, digits, hyphens and dots")
        if host in _METADATA_NAMES:
            raise ValueError("expected a store; this is a cloud's metadata service")
        return
    if address.is_link_local or address in _METADATA:
        raise ValueError("expected a store; this is an address of the link or of metadata")
    if address.is_multicast or address.is_unspecified or "%" in host:
        raise ValueError("expected the address of one machine")


def _is_loopback(host: str, address: _Address | None) -> bool:
    return host == _LOOPBACK_NAME or (address is not None and address.is_loopback)
