"""What a poll lists: its window in local days, what it is known by, and how often it may be made."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from gateway.engine.catalog import bind, load_providers
from gateway.events.polling import polling_of
from gateway.events.polling_window import digest_of, interval_of, old_span, span_of
from gateway.mapping.compiler.operations.alternatives import fit
from gateway.model.model import load
from gateway.values.rates import LimitsPlan, Rate
from gateway.values.secrets import Secret
from tests.shipped import plan_of

DESK = Path(__file__).with_name("desk.yaml")
SETTINGS = {"time_zone": "Europe/Berlin", "currency": "EUR", "base_url": "https://desk.example", "kind": None}


@pytest.fixture(scope="module")
def desk():
    return load_providers([DESK], load())[0]["desk"]


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "now", "complete_at", "first", "end"),
    [
        ("Europe/Berlin", "2026-03-10T12:00:00Z", None, "2026-03-09T00:00:00+01:00", "2026-04-10T00:00:00+02:00"),
        ("Europe/Berlin", "2026-03-09T22:59:59Z", None, "2026-03-08T00:00:00+01:00", "2026-04-09T00:00:00+02:00"),
        ("Europe/Berlin", "2026-03-09T23:00:00Z", None, "2026-03-09T00:00:00+01:00", "2026-04-10T00:00:00+02:00"),
        ("Asia/Tokyo", "2026-03-09T15:00:00Z", None, "2026-03-09T00:00:00+09:00", "2026-04-10T00:00:00+09:00"),
        # none was complete for days: back to the last; for years: back to where a provider can be asked for it all
        ("UTC", "2026-03-10T12:00Z", "2026-03-10T11:59Z", "2026-03-09T00:00:00+00:00", "2026-04-10T00:00:00+00:00"),
        ("UTC", "2026-03-10T12:00Z", "2026-03-05T23:59Z", "2026-03-05T00:00:00+00:00", "2026-04-10T00:00:00+00:00"),
        ("UTC", "2026-03-10T12:00Z", "2020-03-05T23:59Z", "2025-12-08T00:00:00+00:00", "2026-04-10T00:00:00+00:00"),
        # midnight is skipped in Beirut on 29 March 2026
        ("Asia/Beirut", "2026-03-30T12:00:00Z", None, "2026-03-29T01:00:00+03:00", "2026-04-30T00:00:00+03:00"),
    ],
)
def test_the_window_of_a_poll(desk, zone, now, complete_at, first, end):
    """It holds whole local days, from the last complete poll on when that is longer ago."""
    span = span_of(desk.polling, zone, ms(now), ms(complete_at) if complete_at else None)
    assert (first, end) == (span.first, span.end)
    assert [True, True, False, False] == [span.holds(one) for one in (None, first, end, "2020-01-01T00:00:00+00:00")]


def test_what_a_list_is_known_by(desk):
    """A list is another when it is made or read in another way; days make it larger, secrets change nothing."""
    one = bind("club", desk, SETTINGS)
    digest, now = digest_of(desk.polling, one), ms("2026-03-10T12:00:00Z")
    assert len(digest) <= 64
    assert digest == digest_of(desk.polling, bind("club", desk, SETTINGS | {"base_url": "https://desk.example"}))
    assert digest == digest_of(desk.polling, replace(one, public=dict(one.public), revealed={"key": Secret("new")}))
    wider = replace(desk.polling, after=90)
    assert "2026-04-10T00:00:00+02:00" == old_span(digest, wider, one, now).end
    for other in (bind("club", desk, SETTINGS | {"kind": "x"}), bind("club", replace(desk, name="other"), SETTINGS)):
        assert old_span(digest, desk.polling, other, now) is None
    assert old_span(digest, replace(desk.polling, digest="another"), one, now) is None
    assert old_span("", desk.polling, one, now) is None


@pytest.mark.parametrize(
    ("rates", "interval"),
    [
        ({}, 60.0),
        ({"default": Rate(10, 60, "10/m")}, 60.0),
        ({"default": Rate(60, 3600, "60/h")}, 120.0),  # 32 days in lists of 20 are two calls
        ({"default": Rate(4, 86400, "4/d")}, 43200.0),
        ({"other": Rate(1, 86400, "1/d")}, 60.0),
    ],
)
def test_a_poll_is_not_made_more_often_than_its_rate_allows(desk, rates, interval):
    """The interval is that of the mapping, or as long as the calls of one poll need."""
    assert interval == interval_of(desk.polling, fit(replace(desk, limits=LimitsPlan(rates)), {}))


@pytest.mark.parametrize(("token", "is_polled"), [(None, False), (Secret("feed-token"), True)])
def test_a_connection_without_the_list_is_not_polled(token, is_polled):
    """Where the operation that is polled needs a setting, a connection that lacks it is not polled."""
    generic = plan_of("generic")
    values = {name: setting.default for name, setting in generic.settings.items()} | SETTINGS | {"ical_token": token}
    assert is_polled is (polling_of(bind("club", generic, values)) is not None)
