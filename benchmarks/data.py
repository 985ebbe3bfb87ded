"""What the vendor of the benchmarks answers, and who asks it. The same bytes on every machine and in every run."""

import json
from datetime import datetime, timedelta

ZONE = "Europe/Berlin"
CURRENCY = "EUR"
KEY = "the-key-of-the-vendor-0123"
CALLER = "the-key-of-a-caller-0123"
HOOK_SECRET = "the-secret-of-its-webhooks"
SUBSCRIBER_SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLwSw"
CONNECTION = "club"

FROM, TO = "2031-03-03T00:00:00+01:00", "2031-12-01T00:00:00+01:00"
"""The window that lists are asked for; every row lies in it, and summer time begins and ends in it."""
_FIRST = datetime(2031, 3, 3, 8)  # noqa: DTZ001 - a clock time of the vendor
_STATES = ("booked", "booked", "booked", "open", "gone")
_REMARKS = "Bitte zwei Schläger bereitlegen, wir kommen von der Arbeit und sind um kurz vor acht da. "


def booking(number, ref=None):
    """Give a booking as the vendor lists it, about 630 bytes as JSON."""
    begin = _FIRST + timedelta(hours=number % 14, days=number // 14 % 250)
    return {
        "id": f"bk_{number}" if ref is None else f"bk_{ref}",
        "code": f"R{number:06d}",
        "state": "booked" if ref is not None else _STATES[number % len(_STATES)],
        "service": {
            "id": f"srv_{number % 7}",
            "name": "Badminton, eine Stunde",
            "colour": "#a0c4ff",
            "slug": "badminton",
        },
        "court": {"id": f"court_{number % 12}", "name": f"Platz {number % 12}", "site": "hall_1", "indoor": True},
        "from": f"{begin:%Y-%m-%d %H:%M}",
        "to": f"{begin + timedelta(hours=1):%Y-%m-%d %H:%M}",
        "places": 1 + number % 4,
        "customer": {
            "id": f"cu_{number % 977}",
            "name": f"Zoë Müller-{number % 977}",
            "mail": f"zoe.{number % 977}@example.com",
            "phone": f"+4930{number % 977:07d}",
            "newsletter": False,
        },
        "title": "Badminton",
        "remarks": _REMARKS[:44],
        "total": f"{18 + number % 5}.50",
        "paid": number % 3 == 0,
        "made": f"{begin - timedelta(days=9):%Y-%m-%d %H:%M}",
        "etag": f"{number:016x}",
    }


def details(number, ref=None):
    """Give a booking as the vendor shows it alone, about 2,000 bytes as JSON: most of it nobody asks for."""
    history = [
        {"at": f"2031-02-{day:02d} 10:00", "by": "desk", "what": "changed", "ip": "192.0.2.7"} for day in range(1, 16)
    ]
    more = {"history": history, "links": {"self": f"/bookings/bk_{number}", "invoice": f"/invoices/{number}"}}
    return {**booking(number, ref), "remarks": _REMARKS * 3, **more}


def slot(number):
    """Give a slot as the vendor lists it, 66 bytes as JSON."""
    begin = _FIRST + timedelta(hours=number // 10 % 14, days=number // 140 % 250)
    return {
        "r": f"c{number % 10 + number // 35_000 * 10}",
        "s": f"{begin:%Y-%m-%d %H:%M}",
        "e": f"{begin + timedelta(hours=1):%Y-%m-%d %H:%M}",
        "f": number % 3 != 0,
    }


def body(rows):
    """Write an answer of the vendor."""
    return json.dumps({"data": rows}, ensure_ascii=False, separators=(",", ":")).encode()


def one():
    """Give the answer of workload S."""
    return body(details(17))


def bookings(number):
    """Give an answer with so many bookings, in no order of time."""
    return body([booking(index * 37 % number) for index in range(number)])


def slots(number):
    """Give an answer with so many slots, in no order of time."""
    return body([slot(index * 37 % number) for index in range(number)])


def message(number):
    """Give a webhook of the vendor: a booking was made."""
    return json.dumps(
        {"id": f"ev_{number}", "event": "booked", "data": booking(number, ref=f"h{number}")}, ensure_ascii=False
    ).encode()


def wish(number):
    """Give what a caller asks to be booked, canonical JSON."""
    customer = {"name": "Zoë Müller", "email": "zoe@example.com"}
    times = {"start": "2031-05-06T18:00:00+02:00", "end": "2031-05-06T19:00:00+02:00"}
    return {
        "service_id": "srv_1",
        "resource_id": "court_3",
        **times,
        "quantity": 2,
        "customer": customer,
        "notes": f"w{number}",
    }
