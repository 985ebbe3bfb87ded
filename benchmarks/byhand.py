"""What a good engineer would write for this one vendor instead of describing it: benchmarks/vendor.yaml in Python.

It is meant to be fast and is allowed everything that the vendor's answers allow: texts of times are read once, entries
that have no tie are never compared by their id, and objects are made for the page only. It is no worse than it must
be; what the gateway gives is compared with it, byte for byte, before anything is timed.
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson

from benchmarks.data import CURRENCY, HOOK_SECRET, KEY, SUBSCRIBER_SECRET, ZONE

_ZONE = ZoneInfo(ZONE)
_STATES = {"open": "pending", "booked": "confirmed", "gone": "cancelled"}
_EVENTS = {"booked": "booking.created", "gone": "booking.cancelled"}
_DIGITS = re.compile("([0-9]+)")
_SECRET = HOOK_SECRET.encode()
_SUBSCRIBER_KEY = b64decode(SUBSCRIBER_SECRET.removeprefix("whsec_"))


@lru_cache(maxsize=65_536)
def instant(text):
    """Read a clock time of the vendor, `2031-03-03 08:00`: RFC 3339 and the seconds since 1970."""
    moment = datetime.fromisoformat(text).replace(tzinfo=_ZONE)
    return moment.isoformat(), moment.timestamp()


@lru_cache(maxsize=65_536)
def epoch(text):
    """Read RFC 3339: the seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def local(text):
    """Write RFC 3339 as the vendor's clock shows it."""
    return datetime.fromisoformat(text).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M")


def cents(text):
    """Read `18.50`."""
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


def booking(row):
    """Give a booking as the gateway gives it."""
    customer, service, court = row["customer"], row["service"]["id"], row["court"]
    start, end = instant(row["from"])[0], instant(row["to"])[0]
    held = {"service_id": service, "resource_id": court["id"], "start": start, "end": end, "quantity": row["places"]}
    return {
        "id": row["id"],
        "reference": row["code"],
        "status": _STATES[row["state"]],
        "service_id": service,
        "resource_id": court["id"],
        "location_id": court["site"],
        "start": start,
        "end": end,
        "time_zone": ZONE,
        "all_day": False,
        "quantity": row["places"],
        "items": [held],
        "customer": {
            "id": customer["id"],
            "name": customer["name"],
            "email": customer["mail"],
            "phone": customer["phone"],
        },
        "title": row["title"],
        "notes": row["remarks"],
        "price": {"amount": cents(row["total"]), "currency": CURRENCY},
        "payment_status": "paid" if row["paid"] else "unpaid",
        "created_at": instant(row["made"])[0],
        "source": "vendor",
    }


def slot(row):
    """Give a slot as the gateway gives it."""
    start, free = row["s"], row["f"]
    return {
        "id": slot_id(row),
        "resource_id": row["r"],
        "start": instant(start)[0],
        "end": instant(row["e"])[0],
        "time_zone": ZONE,
        "status": "free" if free else "busy",
        "available": free,
    }


def slot_id(row):
    """Give the id of a slot: its court and its begin."""
    start = row["s"]
    return f"{row['r']}~{start[0:4]}{start[5:7]}{start[8:10]}{start[11:13]}{start[14:16]}"


def free_slots(rows, begin, end):
    """Give the rows that are free and begin in this window, in seconds since 1970."""
    return [row for row in rows if row["f"] and begin <= instant(row["s"])[1] < end]


def ordered(rows, limit, field, ident):
    """Sort rows by the time in a field and give the first of them; of those at one time, by their ids as people do."""
    rows = sorted(rows, key=lambda row: instant(row[field])[1])
    last = rows[limit - 1][field] if limit < len(rows) else None
    at = 0
    while at < min(limit, len(rows)):
        tied = at + 1
        while tied < len(rows) and rows[tied][field] == rows[at][field]:
            tied += 1
        if tied - at > 1:
            rows[at:tied] = sorted(rows[at:tied], key=lambda row: natural(ident(row)))
        at = tied
        if last is not None and at >= limit:
            break
    return rows[:limit]


@lru_cache(maxsize=65_536)
def natural(text):
    """Sort numbers inside texts as numbers: 2 before 10."""
    return [int(part) if index % 2 else part for index, part in enumerate(_DIGITS.split(text))], text


def page(rows, total, limit, query):
    """Write a page of a list."""
    more = total > limit
    cursor = None
    if more:
        told = orjson.dumps([query, "", limit, rows[-1]["start"], rows[-1]["id"]])
        cursor = urlsafe_b64encode(told).decode().rstrip("=")
    about = {"limit": limit, "next_cursor": cursor, "has_more": more, "total": total}
    return orjson.dumps({"data": rows, "page": about})


def request_of_create(args):
    """Build the vendor's request of a booking: method, path, headers and body."""
    customer = {"name": args["customer"]["name"]}
    if "email" in args["customer"]:
        customer["mail"] = args["customer"]["email"]
    body = {"court": args["resource_id"]}
    if "service_id" in args:
        body["service"] = args["service_id"]
    body |= {"from": local(args["start"]), "to": local(args["end"]), "places": args.get("quantity", 1)}
    if "notes" in args:
        body["remarks"] = args["notes"]
    body["customer"] = customer
    headers = (("Content-Type", "application/json"), ("X-Api-Key", KEY))
    return "POST", "/bookings", headers, orjson.dumps(body)


def path_of_booking(ident):
    """Give the vendor's path of a booking."""
    return f"/bookings/{quote(ident, safe='')}"


def is_signed(body, signature):
    """Tell whether a webhook is the vendor's."""
    return hmac.compare_digest("sha256=" + hmac.digest(_SECRET, body, hashlib.sha256).hex(), signature)


def told(body):
    """Read a webhook: its id, the event and the booking."""
    message = orjson.loads(body)
    return message["id"], _EVENTS.get(message["event"]), booking(message["data"])


def event(ident, name, data, sequence, created):
    """Write an event as subscribers get it."""
    start = datetime.fromisoformat(data["start"])
    minutes = int((datetime.fromisoformat(data["end"]) - start).total_seconds() // 60)
    more = {
        "service": data["service_id"],
        "duration": minutes,
        "scheduled_at": f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    whole = {
        "id": ident,
        "event": name,
        "created_at": created,
        "connection": "hooked",
        "provider": "vendor",
        "origin": "provider_webhook",
        "sequence": sequence,
        "data": {**data, **more},
    }
    return orjson.dumps(whole)


def signed(ident, at, body):
    """Sign a delivery as Standard Webhooks has it."""
    signature = b64encode(hmac.digest(_SUBSCRIBER_KEY, f"{ident}.{at}.".encode() + body, hashlib.sha256)).decode()
    return {"webhook-id": ident, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}
