"""AWS: in which country each of its regions lies, and which hosts are its own.

Source: the list of Regions in the AWS documentation. A region that is not in the table is
refused rather than believed; a new one is one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

REGION_COUNTRY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "af-south-1": "ZA",
        "ap-east-1": "HK",
        "ap-east-2": "TW",
        "ap-northeast-1": "JP",
        "ap-northeast-2": "KR",
        "ap-northeast-3": "JP",
        "ap-south-1": "IN",
        "ap-south-2": "IN",
        "ap-southeast-1": "SG",
        "ap-southeast-2": "AU",
        "ap-southeast-3": "ID",
        "ap-southeast-4": "AU",
        "ap-southeast-5": "MY",
        "ap-southeast-6": "NZ",
        "ap-southeast-7": "TH",
        "ca-central-1": "CA",
        "ca-west-1": "CA",
        "cn-north-1": "CN",
        "cn-northwest-1": "CN",
        "eu-central-1": "DE",
        "eu-central-2": "CH",
        "eu-north-1": "SE",
        "eu-south-1": "IT",
        "eu-south-2": "ES",
        "eu-west-1": "IE",
        "eu-west-2": "GB",
        "eu-west-3": "FR",
        "eusc-de-east-1": "DE",
        "il-central-1": "IL",
        "me-central-1": "AE",
        "me-south-1": "BH",
        "mx-central-1": "MX",
        "sa-east-1": "BR",
        "us-east-1": "US",
        "us-east-2": "US",
        "us-gov-east-1": "US",
        "us-gov-west-1": "US",
        "us-west-1": "US",
        "us-west-2": "US",
    }
)

_DOMAINS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")


def is_aws(endpoint: str | None) -> bool:
    """Say whether a store is AWS itself: no endpoint, or one of AWS's own."""
    return endpoint is None or (urlsplit(endpoint).hostname or "").endswith(_DOMAINS)


def names_region(endpoint: str | None, region: str) -> bool:
    """Say whether AWS's endpoint, if one is given, is that of ``region``."""
    return endpoint is None or region in (urlsplit(endpoint).hostname or "").split(".")
