"""Keys of the configuration file that join a marketplace to a club: `links`. Nothing here reads one."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Final

from gateway.config.described import key
from gateway.documents.schema_check import Rules

BLANKS: Final = ("player", "key")
"""What can be put into the texts of a link's customer, in braces."""
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_DURATION = r"[1-9][0-9]{0,4}(s|m|h|d)"
_MOST_MINUTES = 24 * 60
_ANSWERS = (404, 409, 200)


def _text(field: str, text: str, refuse: Callable[[str, str], None]) -> None:
    """Refuse a text that `str.format` could not fill with the two blanks."""
    try:
        parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:
        refuse(field, "has a brace that is not closed or not opened; write `{{` and `}}` for braces themselves")
        return
    if any(name not in BLANKS or form or conversion for name, form, conversion in parts):
        refuse(field, "can hold `{player}` and `{key}` and nothing else in braces")


def _answer(field: str, status: int, refuse: Callable[[str, str], None]) -> None:
    if status not in _ANSWERS:
        refuse(field, "must be 404, 409 or 200")


def _blank(meaning: str, example: str) -> Rules:
    return key("string", meaning, example=example, minlength=1, maxlength=200, check_with=_text)


def _word(meaning: str, example: str, **rules: object) -> Rules:
    return key("string", meaning, example=example, minlength=1, maxlength=200, **rules)


def _time(meaning: str, **rules: object) -> Rules:
    return key("string", meaning, **{"regex": _DURATION, **rules})


def _grid(meaning: str) -> Rules:
    return key(
        "dict",
        meaning,
        schema={
            "first": key("string", "when the first slot begins", example="08:00", required=True, regex=_CLOCK),
            "last": key(
                "string",
                "when the last slot ends; 24:00 is the end of the day",
                example="22:00",
                required=True,
                regex=rf"{_CLOCK}|24:00",
            ),
            "step": key(
                "integer", "minutes from one start to the next", example=60, required=True, min=1, max=_MOST_MINUTES
            ),
        },
    )


_FACILITY: Rules = {
    "facility_id": _word("the court as the marketplace names it", "49", required=True),
    "name": _word("its name for players", "Court 1", required=True),
    "resource_id": _word("the resource of the club that it is", "49", required=True),
    "service_id": _word("the service of the club that is booked, where it wants one", "rental:48"),
    "sport": _word("in the marketplace's word, or a canonical one", "padel"),
    "surface": _word("what players stand on", "clay"),
    "indoor": key("boolean", "whether it has a roof"),
    "description": _word("a sentence for players", "Beside the club house"),
    "price": key(
        "dict",
        "of a slot, instead of what the club tells",
        schema={
            "amount": key("integer", "in the smallest unit: cents for EUR", example=2400, required=True, min=0),
            "currency": key("string", "ISO 4217 code", example="EUR", required=True, regex=r"[A-Z]{3}"),
        },
    ),
    "grid": _grid("its own grid, instead of the link's"),
}

_CUSTOMER: Rules = {
    "name": _blank("full name; without it the player's, as the marketplace tells it", "{player}"),
    "email": _blank("e-mail address, where the club wants one", "court+{key}@club.example"),
    "phone": _blank("telephone number, where the club wants one", "+33123456789"),
    "id": _blank("a customer whom the club already has", "21749"),
}

_POLICY: Rules = {
    "min_notice": key(
        "integer", "minutes before its start until which a slot can be booked", default=0, min=0, max=525_600
    ),
    "serve_stale_max": _time(
        "how long the marketplace is told what was known before, while the club cannot be asked",
        default="15m",
        example="15m",
        regex=rf"0s|{_DURATION}",
    ),
    "on_unknown_outcome": key(
        "string",
        "what becomes of a booking that comes to light at the club after its answer was lost: cancelled, or kept",
        default="compensate",
        allowed=["compensate", "keep"],
    ),
    "cancel_without_booking": key(
        "integer",
        "what the marketplace is answered that cancels where nothing was booked: 404, 409 or 200",
        default=404,
        check_with=_answer,
    ),
}

_LINK: Rules = {
    "name": key(
        "string",
        "1 to 63 of a-z, 0-9 and `-`, the first no sign; for logs and the operator",
        example="club-a-market",
        required=True,
        regex=r"[a-z0-9][a-z0-9-]{0,62}",
    ),
    "peer": _word("the connection of the marketplace", "market", required=True),
    "club": _word("the connection of the club", "club-a", required=True),
    "center_id": _word("the club as the marketplace names it", "WYZ", required=True),
    "time_zone": _word("the zone of the marketplace's times; without it that of the peer", "Europe/Paris"),
    "slot_duration": key(
        "integer",
        "minutes that a slot lasts, where the club's slots do not say it",
        example=60,
        min=1,
        max=_MOST_MINUTES,
    ),
    "horizon_days": key("integer", "how many days the marketplace is told of", default=14, min=1, max=92),
    "interval": _time("how often the club is looked at", default="120s", example="120s"),
    "debounce": _time(
        "how long a change waits for others before it is told", default="2s", example="2s", regex=rf"0s|{_DURATION}"
    ),
    "facilities": key(
        "list",
        "the courts that the marketplace may see, and no others",
        required=True,
        minlength=1,
        maxlength=200,
        schema=key("dict", "one court", schema=_FACILITY),
    ),
    "grid": _grid("when slots begin; without it the club's own slots say so"),
    "customer": key("dict", "who books at the club, since a marketplace tells little", default={}, schema=_CUSTOMER),
    "policy": key("dict", "what happens at the limits", default={}, schema=_POLICY),
}

LINK_KEYS: Rules = {
    "links": key(
        "list",
        "marketplaces that sell the slots of clubs",
        default=[],
        maxlength=200,
        schema=key("dict", "one marketplace and one club", schema=_LINK),
    ),
}
"""These keys, for cerberus and for the reference."""
