"""`gateway check` of a configuration with links: what either end cannot do, and with --online what the club has."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """\
callers: {{web: {{key: web-key-0123456789, may: [read]}}}}
mappings: ["{root}/tests/links/checked/market.yaml", "{root}/mappings/locaboo.yaml"]
egress: {{allow: [127.0.0.0/8]}}
connections:
  market: {{provider: market, settings: {{token: hidden-enough, time_zone: Europe/Berlin, currency: EUR}}}}
  club: {{provider: locaboo, settings: {{{settings}, base_url: "{url}", time_zone: Europe/Berlin, currency: EUR}}}}
links:
  - name: one
    peer: market
    club: club
    center_id: X
    facilities:
      - {{facility_id: a, name: Kleine Halle, sport: padel, resource_id: "49", service_id: "rental:48"}}
      - {{facility_id: b, name: Große Halle, sport: padel, resource_id: "500", service_id: "rental:49"}}
      - {{facility_id: c, name: Court, sport: {sport}, resource_id: "48"}}
"""


@pytest.fixture
def configured(house):
    """Give a function that writes a configuration with a link in the folder of the tests."""

    def of(url="http://127.0.0.1:1", settings="api_secret_key: right-key", sport="padel"):
        text = CONFIG.format(root=ROOT, url=url, settings=settings, sport=sport)
        (house / "config.yaml").write_text(text, encoding="utf-8")

    return of


@pytest.fixture
def simulated(house, start):
    """Play a club as a process, and give its URL and the key that it wants."""
    process = start("simulate", "locaboo", "--port", 0, "--mappings", ROOT / "mappings" / "locaboo.yaml", folder=house)
    url = process.says(r"is played on (http://127\.0\.0\.1:\d+) ")[1]
    return url, process.says(r"  api_secret_key: (\S+)\n")[1]


def of_config(out):
    """Give the findings that are about the configuration, without its name."""
    return [line.removeprefix("config.yaml:") for line in out.splitlines() if line.startswith("config.yaml:")]


def test_what_keeps_a_link_from_working(gateway, configured):
    """It is an error that every verb tells that runs on the configuration, which then does not start."""
    configured(sport="darts")
    expected = "15:9: error facility-refused: the peer takes no slots of this facility: It sells padel and tennis."
    code, out, err = gateway("check", "--config", "config.yaml")
    assert (1, [expected], "") == (code, of_config(out), err)
    for words in (["serve"], ["call", "club", "resources.list"]):
        code, out, err = gateway(*words)
        assert (1, "", [expected]) == (code, out, of_config(err))


def test_right_as_far_as_one_can_tell(gateway, configured):
    """Without --online nobody is asked."""
    configured()
    code, out, err = gateway("check", "--config", "config.yaml")
    assert (0, [], "") == (code, of_config(out), err)


def test_online(gateway, configured, simulated):
    """With --online the club is asked once what it has, and told are ids that it does not have and what was meant."""
    url, key = simulated
    configured(url, f"api_secret_key: '{key}'")
    code, out, err = gateway("check", "--config", "config.yaml", "--online", "--format", "json")
    told = [one for one in json.loads(out) if one["file"] == "config.yaml"]
    near = "rental:48 (Sportzentrum) or rental:47 (Sandkasten) or rental:51 (Matthias Dome)"
    assert [
        (14, 72, "the club has no such resource; did you mean 50 (Große Halle)?"),
        (14, 91, f"the club has no such service; did you mean {near}?"),
        (15, 66, "the resource only groups its parts and cannot be booked: take one of them"),
    ] == [(one["line"], one["column"], one["message"]) for one in told]
    assert (1, {"not-at-club"}) == (code, {one["code"] for one in told})
    assert ["club: resources.list has 7", "club: services.list has 5"] == err.splitlines()


def test_a_club_that_does_not_answer(gateway, configured, simulated):
    """A club that cannot be reached, or refuses, is an error in plain words, and nothing else is told."""
    url, _ = simulated
    for there, settings, word in (
        (url, "api_secret_key: wrong-key", "PROVIDER_AUTH_FAILED"),
        ("http://127.0.0.1:1", "api_secret_key: right-key", "PROVIDER_UNAVAILABLE"),
    ):
        configured(there, settings)
        code, out, err = gateway("check", "--config", "config.yaml", "--online")
        found = of_config(out)
        assert (1, 2) == (code, len(found))
        for line, name in zip(found, ("resources.list", "services.list"), strict=True):
            assert line.startswith(
                f"10:11: error club-not-asked: {name} failed, so that its ids are not checked: {word}: "
            )
            assert "-key" not in line
        assert ["club: resources.list failed", "club: services.list failed"] == err.splitlines()


def test_online_wants_a_configuration(gateway, configured):
    """Without a configuration there is nobody to ask, and with one that is wrong nobody is asked."""
    assert (2, "", "--online asks the clubs of a configuration: name it with --config\n") == gateway(
        "check", "--online"
    )
    configured(settings="api_secret_kye: x")
    code, _, err = gateway("check", "--config", "config.yaml", "--online")
    assert (1, "no club is asked: the configuration or a mapping has errors\n") == (code, err)
