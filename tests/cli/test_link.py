"""`gateway link`: what it prints, its exit codes, and that a gateway on the same store does what a resync asks for."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from gateway import config
from gateway.application import open_application
from gateway.cli.simulate import prepare
from gateway.engine import catalog
from gateway.model.model import load
from gateway.simulator.server import playing
from tests.demonstration import ROOT
from tests.shipped import plan_of

STATUS, DIFF = (load().gateway.types[name] for name in ("LinkStatus", "LinkDiff"))
NAME = "club-market"
CLUB = ROOT / "mappings" / "locaboo.yaml"
ZONE = "time_zone: Europe/Berlin, currency: EUR"
CONFIG = """\
callers: {{web: {{key: web-key-0123456789, may: [read]}}}}
mappings: ["{root}/tests/surface/admin/market.yaml", "{mapping}"]
store: sqlite:///links.db
egress: {{allow: [127.0.0.0/8]}}
connections:
  market: {{provider: market, settings: {{base_url: "{market}", token: hidden-enough, {zone}}}}}
  club: {{provider: locaboo, settings: {{base_url: "{club}", api_secret_key: example-key, {zone}}}}}
links:
  - name: club-market
    peer: market
    club: club
    center_id: WYZ
    slot_duration: 60
    horizon_days: 3
    debounce: 0s
    facilities: [{{facility_id: a, name: Kleine Halle, sport: padel, resource_id: "49"}}]
"""


class Market:
    """A marketplace that takes what it is told, unless `status` says otherwise. `told`: free by start."""

    def __init__(self):
        self.status, self.told, self.club = 200, {}, AsyncExitStack()
        """`club` is what plays the club, until it is closed."""

    async def take(self, request):
        if self.status == 200:
            self.told |= {one["from"]: one["free"] for one in await request.json()}
        return web.Response(status=self.status)


@pytest.fixture(scope="module")
def plan():
    """Give the compiled mapping of the club."""
    return plan_of("locaboo")


@pytest.fixture
async def market(house, plan, aiohttp_server):
    """Give a marketplace, and write a configuration that sells a played club on it."""
    made, app = Market(), web.Application()
    app.router.add_post("/told", made.take)
    server = await aiohttp_server(app)
    async with made.club:
        port = await made.club.enter_async_context(playing(prepare(plan, None), 0))
        urls = {"market": str(server.make_url("/")).rstrip("/"), "club": f"http://127.0.0.1:{port}"}
        text = CONFIG.format(root=ROOT, mapping=CLUB, zone=ZONE, **urls)
        (house / "config.yaml").write_text(text, encoding="utf-8")
        yield made


@pytest.fixture
def working(house):
    """Give the context in which a gateway works for the links of the configuration."""

    @asynccontextmanager
    async def of():
        settings, findings = config.load(house / "config.yaml", {})
        assert [] == findings
        found, findings = catalog.load(settings.mappings, settings, load())
        assert [] == findings
        async with open_application(settings, found) as application:
            running = asyncio.create_task(application.links.run())
            yield
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()

    return of


@pytest.fixture
def link(gateway):
    """Run the verb beside the test, which goes on: `code, out, err = await link("list")`."""
    return lambda *words: asyncio.to_thread(gateway, "link", *words)


async def test_before_anything(link, market):
    """A link that nobody has worked for stands in the list, has no past, and has told nothing of what is free."""
    code, out, err = await link("list")
    assert (0, "") == (code, err)
    assert ["link", "club", "marketplace"] == out.split()[:3]
    assert [NAME, "club", "market", "WYZ", "0", "0"] == out.splitlines()[1].split()
    code, out, err = await link("status", NAME)
    assert (0, "", 3) == (code, err, out.count("never"))
    code, out, err = await link("diff", NAME)
    assert (1, "") == (code, err)
    assert ["nothing", "free"] == out.splitlines()[1].split()[5:7]


async def test_resync(link, market, working):
    """With a gateway on the store a resync ends when all is told, and then both sides are in step."""
    async with working():
        code, out, err = await link("resync", NAME)
        assert (0, True) == (code, "to tell: 0 waiting, 0 refused by the marketplace" in out)
        assert err.endswith(f"{NAME}: 0 slots to tell\n")
        assert {True} <= set(market.told.values())
        assert (0, "") == (await link("diff", NAME))[::2]
        told, market.told = market.told, {}
        assert 0 == (await link("resync", NAME))[0]
        assert told == market.told


async def test_json(link, market, working):
    """With --json it is what the operator's HTTP side answers, whole, and nothing else on standard output."""
    async with working():
        _, out, _ = await link("resync", NAME, "--json")
        STATUS.accept(json.loads(out))
        _, out, _ = await link("list", "--json")
        assert [NAME] == [one["name"] for one in map(STATUS.accept, json.loads(out))]
        _, out, _ = await link("diff", NAME, "--json")
        assert DIFF.accept(json.loads(out))["in_step"]


async def test_nobody_works(link, market, monkeypatch):
    """Without a gateway a resync says so after a while and fails; with --no-wait it begins it and leaves."""
    monkeypatch.setattr("gateway.cli.link.STILL_SECONDS", 0.1)
    code, _, err = await link("resync", NAME)
    assert (1, True) == (code, "is a gateway running" in err)
    code, out, err = await link("resync", NAME, "--no-wait")
    assert (0, "", True) == (code, err, out.startswith(f"{NAME}: club on market as WYZ; times in Europe/Berlin\n"))


async def test_what_is_refused(link, market, working):
    """What the marketplace refuses is told as it is seen, and makes every look at the link fail."""
    market.status = 400
    async with working():
        code, out, err = await link("resync", NAME)
    assert (1, True) == (code, "look at this:" in out)
    assert err
    code, out, _ = await link("list")
    assert (1, "0") == (code, out.splitlines()[1].split()[4])
    assert 1 == (await link("status", NAME))[0]
    code, out, _ = await link("diff", NAME)
    assert (1, True) == (code, "refused by the marketplace: " in out)


async def test_the_marketplace_is_away(link, market, working, monkeypatch):
    """While the marketplace does not answer a resync says why it waits."""
    monkeypatch.setattr("gateway.cli.link.STILL_SECONDS", 1.5)
    market.status = 503
    async with working():
        code, _, err = await link("resync", NAME)
    assert 1 == code
    assert "slots to tell; the last try failed: PROVIDER_UNAVAILABLE" in err


async def test_the_club_is_away(link, market):
    """A club that cannot be asked is told in a sentence."""
    await market.club.aclose()
    code, out, err = await link("diff", NAME)
    assert (1, "", 1) == (code, out, len(err.splitlines()))
    assert err.startswith(f"{NAME}: ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status"], "needs the NAME"),
        (["list", NAME], "takes no NAME"),
        (["diff", NAME, "--no-wait"], "takes no --no-wait"),
        (["status", "club-marked"], "the configuration has none"),
        (["mend", NAME], "invalid choice"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_refused(link, house, words, told):
    """Wrong usage is told in a sentence."""
    code, out, err = await link(*words)
    assert (2, "", True) == (code, out, told in err)


async def test_an_unknown_link(link, market):
    """The links that there are are named."""
    assert (2, "", f"there is no link `x`; the configuration has {NAME}\n") == await link("status", "x")


async def test_no_links(link, house):
    """A configuration without links has an empty list."""
    assert (0, "the configuration has no links\n", "") == await link("list")
    assert (0, "[]\n", "") == await link("list", "--json")


async def test_the_store_cannot_be_opened(link, house):
    """A store that is not there is told in a sentence without its password."""
    path = house / "config.yaml"
    text = path.read_text(encoding="utf-8") + "store: postgresql://u:hunter2@127.0.0.1:1/x\n"
    path.write_text(text, encoding="utf-8")
    code, out, err = await link("list")
    assert (1, "", 1) == (code, out, len(err.splitlines()))
    assert err.startswith("`store` cannot be opened")
    assert "hunter2" not in err


async def test_findings(link, house):
    """A configuration that is wrong is told with its places."""
    (house / "config.yaml").write_text("callers: {}\n", encoding="utf-8")
    code, out, err = await link("list")
    assert (1, "", True) == (code, out, err.startswith("config.yaml:1:"))
