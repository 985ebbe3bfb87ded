"""Clubs that are open all night, played on real sockets on the nights that the clocks are changed, and on another."""

import asyncio
import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.model.model import arguments, load
from gateway.simulator.play import Play
from gateway.simulator.server import playing
from gateway.transport.client import Client
from gateway.values.messages import Call
from gateway.values.secrets import Secret
from tests.applications import engine_of, milliseconds
from tests.links.clubs import COURT, connection
from tests.shipped import scripted

NIGHTS = (
    ("Europe/Berlin", "2026-03-19"),
    ("Europe/Berlin", "2026-03-29"),  # 02:00 → 03:00
    ("Europe/Berlin", "2026-10-25"),  # 03:00 → 02:00
    ("Europe/London", "2026-03-29"),  # 01:00 → 02:00
    ("Europe/London", "2026-10-25"),  # 02:00 → 01:00
    ("Africa/Cairo", "2026-04-24"),  # 00:00 → 01:00
    ("Asia/Beirut", "2026-10-25"),  # 24:00 → 23:00 of the day before
    ("America/Santiago", "2026-09-06"),  # 24:00 → 01:00
    ("America/Sao_Paulo", "2018-11-04"),  # 00:00 → 01:00
)
"""Zones, and the days on which, or just before which, their clocks are changed."""
ALL_NIGHT = {"opens": "00:00", "closes": "00:00"}
PUBLIC = {"company_login": "club", "api_key": Secret("simplybook-ap1-key"), "secret_key": Secret("simplybook-s3cret")}
CLUBS = {
    "locaboo": ("locaboo", {"api_secret_key": Secret("locaboo-s3cret-key")}, {"resource_id": ["49"]}),
    "simplybook": ("simplybook", PUBLIC, {"service_id": "1", "resource_id": ["1"]}),
    "simplybook-admin": (
        "simplybook",
        PUBLIC | {"user_login": "jane", "user_password": Secret("pa55word-of-jane")},
        {"service_id": "1", "resource_id": ["1"]},
    ),
    "teambooking": (
        "teambooking",
        {"auth_token": Secret("teambooking-t0ken")},
        {"service_id": "lesson", "resource_id": ["4"]},
    ),
    "generic": (
        "generic",
        {"api_key": Secret("generic-ap1-key"), "ical_token": Secret("generic-feed-t0ken")},
        {"service_id": "court"},
    ),
}
"""Provider, settings, and what is asked for of it."""
JANE = {"name": "Jane Doe", "email": "jane@example.com"}


class Night:
    """A club on one night: `await night.ask(operation, …)`, and the hours around the change, `[first, end)`."""

    def __init__(self, engine, wanted, zone, day):
        """Begin at ten in the evening before the day."""
        self.engine, self.wanted, self.zone = engine, wanted, ZoneInfo(zone)
        evening = datetime.combine(day - timedelta(days=1), datetime.min.time(), self.zone).replace(hour=22)
        self.first, self.end = evening, (evening.astimezone(UTC) + timedelta(hours=7)).astimezone(self.zone)

    async def ask(self, operation, **given):
        """Make a call as a caller would; gives its data."""
        checked = arguments(load().operations[operation], given, str(self.zone))
        deadline = asyncio.get_running_loop().time() + 10
        return (await self.engine.run(Call("club", operation, checked, "test", deadline))).data

    async def offered(self):
        """List what is free around the change."""
        around = {"from": self.first.isoformat(), "to": self.end.isoformat()}
        return [one for one in await self.ask("slots.list", **around, **self.wanted) if one["available"]]

    def hours(self):
        """Give every moment between, in UTC, at which the clocks show a whole hour for the first time."""
        first = self.first.astimezone(UTC)
        count = int((self.end.astimezone(UTC) - first) / timedelta(minutes=30))
        shown = [(first + timedelta(minutes=30 * one)).astimezone(self.zone) for one in range(count)]
        return [one.astimezone(UTC) for one in shown if one.minute == 0 and one.fold == 0]

    def second_showings(self):
        """Give the moments of `hours` at which the clocks show the hour again."""
        both = [one.astimezone(self.zone) for one in self.hours()]
        again = [one.replace(fold=1).astimezone(UTC) for one in both]
        return [two for one, two in zip(self.hours(), again, strict=True) if one != two]


@contextlib.asynccontextmanager
async def night_at(club, zone, day):
    """Play a club that is open all night, from noon two days before `day` (ISO) on, while the context lasts."""
    provider, settings, wanted = CLUBS[club]
    on = date.fromisoformat(day)
    now = datetime.combine(on - timedelta(days=2), datetime.min.time(), UTC).replace(hour=12)
    examples, script = scripted(provider)
    about = {"time_zone": zone, "base_url": "http://127.0.0.1:1"} | settings
    if provider == "generic":
        hours = {"start": "00:00", "end": "00:00"}
        days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        open_all_night = {"days": days, "hours": hours, "timezone": zone}
        about["services"] = [COURT | {"availability": open_all_night}]
    play = Play(connection("club", provider, about.pop("base_url"), about), examples, script, lambda: now)
    if "hours" in play.state:
        play.state["hours"] = ALL_NIGHT | ({"closes": "24:00"} if provider == "locaboo" else {})
    async with Client(["127.0.0.0/8"]) as client, playing(play, 0) as port:
        joined = connection("club", provider, f"http://127.0.0.1:{port}", about)
        engine = engine_of({"club": joined}, client.send, lambda: milliseconds(now))
        yield Night(engine, wanted, zone, on)
