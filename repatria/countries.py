"""Countries: ISO 3166-1 alpha-2, and the groups of them that European law makes.

The 249 officially assigned codes alone are countries. User-assigned codes (``XK``) and
reserved ones (``UK``, ``EU``) are not: whoever's records use them configures an alias.
Parts of a member state with a code of their own (``RE``, ``AX``) are no members here; a
configuration that wants them with their state names them in one group with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_ASSIGNED: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
    """

COUNTRIES: Final = frozenset(_ASSIGNED.split())
"""Every officially assigned code, 249 of them."""

_MEMBERS: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"

EU27: Final = frozenset(_MEMBERS.split())

EEA: Final = EU27 | {"IS", "LI", "NO"}

PERMITTED: Final = EEA | {"GB", "CH"}
"""Jurisdictions in which European data may live, if the configuration says so too."""

READY_MADE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"EU27": EU27} | {code: frozenset({code}) for code in ("IS", "LI", "NO", "GB", "CH")}
)
"""Sets that a configuration can name; each country in one becomes a region of its own."""
