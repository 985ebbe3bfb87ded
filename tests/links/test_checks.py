"""Links checked before anything runs: what either end cannot do, and what does not fit, is told where it is written."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import config
from gateway.engine import catalog
from gateway.links.checks import check_links
from gateway.links.inventory import check_inventory
from gateway.model.model import load
from gateway.values.messages import Response
from tests.applications import engine_of, milliseconds

MAPPINGS = Path(__file__).with_name("checked")
GENERIC = Path(__file__).parents[2] / "mappings" / "generic.yaml"
"""A provider that knows services and no resources."""
NOW = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
"""In Europe the day before the clocks change, or that day already."""
CONFIG = """
callers: {{web: {{key: 0123456789abcdef, may: [read]}}}}
mappings: ["{mappings}", "{generic}"]
connections:
  market: {{provider: market, settings: {{{market}time_zone: Europe/Berlin, currency: EUR}}}}
  club: {{provider: {provider}, settings: {{{club}time_zone: Europe/Berlin, currency: EUR}}}}
links:
  - name: one
    peer: {peer}
    club: {seller}
    center_id: X
    {more}
    customer: {{{customer}}}
    facilities:
      - {{facility_id: a, name: Court 1, resource_id: '1', {service}{court}}}
"""
RIGHT = {
    "market": "token: hidden-enough, ",
    "club": "courts: [{id: '1', name: Court 1}], ",
    "provider": "club",
    "service": "service_id: s, ",
    "peer": "market",
    "seller": "club",
    "more": "",
    "customer": "email: 'court+{key}@club.example'",
    "court": "sport: padel",
}
LIMITED = "club: link-limited "
"""How a warning begins of a club that can do no more than links need."""


def shown(settings, findings):
    """Give findings as `key: code message`, the key being what stands before the place on its line."""
    lines = Path(settings.document.path).read_text(encoding="utf-8").splitlines()
    before = [lines[one.line - 1][: one.column - 1].split()[-1].lstrip("{") for one in findings]
    return [f"{key} {one.code} {one.message}" for key, one in zip(before, findings, strict=True)]


def configured(folder, **changed):
    """Load a configuration with one link that is right but for what is changed, and its catalog."""
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(mappings=MAPPINGS, generic=GENERIC, **RIGHT | changed).lstrip(), encoding="utf-8")
    settings, findings = config.load(path, {})
    assert [] == findings
    found, findings = catalog.load(settings.mappings, settings, load())
    assert [] == [one for one in findings if one.level == "error"]
    return settings, found


@pytest.fixture
def told(tmp_path):
    """Give a function that checks such a configuration, and what it tells besides the warnings of the club."""

    async def of(**changed):
        settings, found = configured(tmp_path, **changed)
        told = shown(settings, await check_links(settings, found, load(), NOW))
        return [line for line in told if not line.startswith(LIMITED)]

    return of


async def test_what_is_lost(tmp_path):
    """A club that can do no more than links need is taken, and it is said what is lost."""
    settings, found = configured(tmp_path)
    findings = await check_links(settings, found, load(), NOW)
    assert {"warning"} == {one.level for one in findings}
    assert [
        f"{LIMITED}cannot do bookings.{lost}"
        for lost in (
            "list: a booking whose answer was lost is not found again, and has to be looked for by hand",
            "get: the link does not see that the club has moved or cancelled a booking",
            "confirm: a booking that waits for the club's word is cancelled, and the player refused",
        )
    ] == shown(settings, findings)


async def test_a_club_that_does_not_say_whose_its_bookings_are(tmp_path):
    """It is said that a booking whose answer was lost is neither found again nor cancelled there."""
    settings, found = configured(tmp_path, provider="generic", club=SERVICES)
    told = shown(settings, await check_links(settings, found, load(), NOW))
    lost = "one whose answer was lost is neither found again nor cancelled, and has to be looked for by hand"
    assert f"{LIMITED}does not tell whose the bookings are that it lists: {lost}" in told
    assert 2 == len(told)


@pytest.mark.parametrize(
    ("changed", "findings"),
    [
        ({}, []),
        ({"more": "time_zone: America/Santiago"}, []),
        (
            {"more": "time_zone: Europe/Berlyn"},
            ["time_zone: wrong-value `time_zone` must be an IANA time zone such as Europe/Berlin"],
        ),
        (
            {"peer": "club", "seller": "market"},
            [
                "peer: not-a-marketplace The club is no marketplace: its mapping does not say `kind: marketplace`",
                "club: link-impossible cannot do slots.list: it only sells",
                "club: link-impossible cannot do bookings.create: it only sells",
                "club: link-impossible cannot do bookings.cancel: it only sells",
            ],
        ),
        (
            {"market": ""},
            [
                "peer: link-impossible cannot be told of slots: The market wants the setting `token`.",
                "peer: link-impossible cannot send its bookings: Nothing is signed: `token` ends its address.",
            ],
        ),
        (
            {"court": "price: {amount: 1, currency: USD}, sport: padel"},
            ["currency: price-untold the peer's currency is EUR, and a price in another is not told"],
        ),
        ({"court": "price: {amount: 1, currency: EUR}, sport: padel"}, []),
        (
            {"more": "slot_duration: 60"},
            ["slot_duration: facility-refused The club cannot honour `duration` in slots.list: a slot lasts an hour"],
        ),
    ],
)
async def test_ends(told, changed, findings):
    """Ends that cannot do what links need, and what only one of them could mean, are told where they are named."""
    assert findings == await told(**changed)


@pytest.mark.parametrize(
    ("customer", "finding"),
    [
        ("email: '{player}@club.example'", "email: customer-refused must be an e-mail address, once it is filled in"),
        ("email: 'a@b.example', phone: '+49'", "phone: customer-refused the club does not take it: nobody is called"),
        ("name: Ann", "customer: customer-refused the club needs `email`: a confirmation is sent"),
        (
            "email: 'a@b.example', id: '..'",
            "id: customer-refused must be an id, not dots or blanks",
        ),
    ],
)
async def test_customers(told, customer, finding):
    """A customer whom the club would not take is told at the text that makes it so."""
    (found,) = await told(customer=customer)
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("court", "reason"),
    [
        ("sport: darts", "It sells padel and tennis."),
        ("indoor: true", "It sells padel and tennis."),
        ("sport: padel, surface: mud", "`int` takes a whole number"),
    ],
)
async def test_courts(told, court, reason):
    """What the marketplace does not take, or its mapping cannot write, is told at the court."""
    (found,) = await told(court=court)
    start = "- facility-refused the peer takes no slots of this facility: "
    assert found.startswith(start)
    assert reason in found


async def test_nothing_is_known_of_answers(told):
    """That nothing can be read in the made-up answers of either end is no finding."""
    assert [] == await told(club="ask: true, ")


@pytest.mark.parametrize(
    ("courts", "message"),
    [
        ("", "the club has no such resource: it lists none"),
        ("{id: '11', name: Hall}", "the club has no such resource; did you mean 11 (Hall)?"),
        (
            "{id: '7', name: Court 1}, {id: x, name: court 2}",
            "the club has no such resource; did you mean 7 (Court 1)",
        ),
        ("{id: '7', name: Pool}, {id: x, name: Gym}", "the club has no such resource; there are 7 (Pool), x (Gym)"),
        (
            "{id: '1', name: Hall, parts: 2}",
            "the resource only groups its parts and cannot be booked",
        ),
    ],
)
async def test_what_settings_tell(told, courts, message):
    """A club whose settings say what there is needs no network to be held against."""
    (found,) = await told(club=f"courts: [{courts}], ")
    assert found.startswith(f"resource_id: not-at-club {message}")


SERVICES = "base_url: 'https://a.example', api_key: k, ical_token: long-enough, services: [{id: s, name: Hour}], "


@pytest.mark.parametrize(
    ("changed", "findings"),
    [
        ({}, []),
        (
            {"service": ""},
            ["- facility-refused the club has services and no resources: say which one it is, as `service_id`"],
        ),
        ({"service": "service_id: t, "}, ["service_id: not-at-club the club has no such service; there are s (Hour)"]),
        (
            {"court": "sport: padel}\n      - {facility_id: b, name: B, resource_id: '2', service_id: s, sport: padel"},
            ["service_id: facility-refused the club has no resources, and facility number 1 is this service already"],
        ),
    ],
)
async def test_clubs_without_resources(told, changed, findings):
    """Where a club has services only, each is one facility, named by its id."""
    assert findings == await told(provider="generic", club=SERVICES, **changed)


@pytest.mark.parametrize(
    ("services", "findings"),
    [
        (b'[{"id": "s", "name": "Hour"}]', []),
        (b'[{"id": "s", "name": "Hour", "courts": ["1", "2"]}]', []),
        (
            b'[{"id": "s", "name": "Hour", "courts": ["2"]}]',
            ["service_id: not-at-club the club does not offer this service with the facility's resource"],
        ),
        (
            b'[{"id": "h", "name": "Hour"}]',
            ["service_id: not-at-club the club has no such service; there are h (Hou"],
        ),
        (
            b'{"no": "list"}',
            ["club: club-not-asked services.list failed, so that its ids are not checked: PROV"],
        ),
    ],
)
async def test_online(tmp_path, services, findings):
    """Every club is asked once for what it has; what it does not have, or does not say, is told."""
    settings, found = configured(tmp_path, club="ask: true, ")
    asked, progress = [], []

    async def send(request):
        asked.append(request.url)
        there = b'[{"id": "1", "name": "Court 1"}]' if request.url.endswith("/courts") else services
        return Response(200, {"content-type": "application/json"}, there)

    engine = engine_of(found, send, lambda: milliseconds(NOW))
    told = await check_inventory(settings, engine, asyncio.get_running_loop().time, progress.append)
    pairs = zip(shown(settings, told), findings, strict=True)
    assert [] == [line for line, start in pairs if not line.startswith(start)]
    assert ["https://club.example/courts", "https://club.example/services"] == asked
    assert ["club: resources.list has 1"] == progress[:1]
    assert 2 == len(progress)
