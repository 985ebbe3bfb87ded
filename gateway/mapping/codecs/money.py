"""Money: major units as providers write them ↔ whole minor units. Decimal arithmetic only, and only here.

A currency's minor unit is a fact of ISO 4217 (list one): 10.15 EUR are 1015, 1500 JPY are 1500, 1.234 KWD are 1234.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite
from typing import Final

from gateway.mapping.codecs.kind import LOSSY, Codec, CodecKind, CodecRefused, Option, Scope, Specification
from gateway.values.messages import Json

_TWO: Final = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS
TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
MINOR_DIGITS: Final[Mapping[str, int]] = {
    code: digits
    for digits, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        2: _TWO,
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}
"""Digits of the minor unit by currency (ISO 4217 list one). Codes without one, such as XAU, are no money to book with.

ANG and BGN, withdrawn in 2025 and 2026, stay: old records are still read.
"""

_CURRENCY: Final = Option(
    "currency", "template giving the ISO 4217 code", "{{ settings.currency }}", takes="text", template=True
)
_AMOUNT: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,20})?")
_EXPECTED: Final = "an amount in plain decimal such as 12.50"
_CONTEXT: Final = Context(prec=50, rounding=ROUND_HALF_UP)
_LARGEST: Final = 10**15
"""Minor units beyond this are no price, and no longer exact in every JSON reader (RFC 8259 section 6)."""


def _digits(currency: str) -> int:
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise CodecRefused("an amount in a currency of ISO 4217 such as EUR")
    return digits


def to_minor(amount: Json, currency: str) -> int:
    """Convert major units (a plain decimal text or a number) to minor units, halves away from zero.

    Raises CodecRefused for what is no amount: an empty text, an exponent, a grouping mark, 10^15 minor units and more.
    """
    digits = _digits(currency)
    if isinstance(amount, float) and isfinite(amount):
        amount = format(Decimal(repr(amount)), "f")
    elif isinstance(amount, int) and not isinstance(amount, bool):
        amount = str(amount)
    if not isinstance(amount, str) or _AMOUNT.fullmatch(amount) is None:
        raise CodecRefused(_EXPECTED)
    rounded = Decimal(amount).quantize(Decimal(1).scaleb(-digits), context=_CONTEXT)
    minor = int(rounded.scaleb(digits, context=_CONTEXT))
    if abs(minor) >= _LARGEST:
        raise CodecRefused(_EXPECTED)
    return minor


def to_major(amount: Json, currency: str) -> str:
    """Write minor units as major units in plain decimal, with all the currency's digits; raises CodecRefused."""
    digits = _digits(currency)
    if not isinstance(amount, int) or isinstance(amount, bool) or abs(amount) >= _LARGEST:
        raise CodecRefused("a whole number of minor units of at most 15 digits")
    return format(Decimal(amount).scaleb(-digits, context=_CONTEXT), "f")


def _decimal_money(spec: Specification) -> Codec:
    currency = spec.template(_CURRENCY)

    def decode(value: Json, scope: Scope) -> Json:
        return to_minor(value, currency(scope))

    def encode(value: Json, scope: Scope) -> Json:
        return to_major(value, currency(scope))

    return Codec("decimal_money", LOSSY, "integer", decode, encode)


KINDS: Final[tuple[CodecKind, ...]] = (
    CodecKind(
        name="decimal_money",
        main="",
        options=(_CURRENCY,),
        within=True,
        law=LOSSY,
        reads="text or number: major units",
        gives="integer",
        meaning="major units ↔ minor units, half up; written as plain decimal text",
        samples=(({"decimal_money": {"currency": "EUR"}}, 10.149, 1015),),
        build=_decimal_money,
    ),
)
