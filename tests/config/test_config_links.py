"""Links in the configuration file: every key arrives, and what contradicts itself or another is told at its place."""

import pytest

from gateway.config import (
    CustomerSettings,
    FacilitySettings,
    GridSettings,
    LinkSettings,
    PolicySettings,
    PriceSettings,
    load,
)

HEAD = """\
callers: {web: {key: 0123456789abcdef, may: [read]}}
connections: {market: {provider: m}, fair: {provider: m}, club: {provider: c}, other: {provider: c}}
links:
"""
COURT = "{facility_id: a, name: A, resource_id: '1'}"


@pytest.fixture
def loaded(tmp_path):
    """Give a function that loads the configuration with these lines of links."""

    def of(*lines):
        path = tmp_path / "gateway.yaml"
        path.write_text(HEAD + "\n".join(lines), encoding="utf-8")
        return load(path, {})

    return of


@pytest.fixture
def told(loaded):
    """Give a function that loads lines of links and tells the findings, all of which must be where a `^` is."""

    def of(*lines):
        marked = [(number, line.index("^") + 1) for number, line in enumerate(lines, 4) if "^" in line]
        settings, findings = loaded(*(line.replace("^", "") for line in lines))
        assert (settings is None) == bool(findings)
        assert marked == [(one.line, one.column) for one in findings]
        return [f"{one.code} {one.message}" for one in findings]

    return of


def link(more="", facilities=COURT, **changed):
    """Write a link on one line; `more` stands behind its keys."""
    keys = {"name": "one", "peer": "market", "club": "club", "center_id": "X"} | changed
    shown = ", ".join(f"{key}: {value}" for key, value in keys.items())
    return f"  - {{{shown}, facilities: [{facilities}]{more and ', '}{more}}}"


def test_the_smallest(loaded):
    """Who, where and one court are enough; everything else has a default, and each link has its own."""
    settings, findings = loaded(link(), link(name="two", peer="fair"))
    assert [] == findings
    expected = LinkSettings(
        name="one",
        peer="market",
        club="club",
        center_id="X",
        time_zone=None,
        slot_duration=None,
        horizon_days=14,
        interval=120.0,
        debounce=2.0,
        facilities=(FacilitySettings("a", "A", "1"),),
        grid=None,
        customer=CustomerSettings(),
        policy=PolicySettings(0, 900.0, "compensate", 404),
    )
    assert expected == settings.links[0]
    assert ("two", "fair") == (settings.links[1].name, settings.links[1].peer)
    assert expected.grid_of(expected.facilities[0]) is None


def test_without_links(tmp_path):
    """A configuration without links has none."""
    path = tmp_path / "gateway.yaml"
    path.write_text(HEAD.replace("links:\n", ""), encoding="utf-8")
    assert () == load(path, {})[0].links


def test_everything(loaded):
    """Every key arrives where it belongs; the grid of a court goes before that of its link."""
    settings, findings = loaded(
        "  - name: one-2",
        "    peer: market",
        "    club: club",
        "    center_id: WYZ",
        "    time_zone: Europe/Paris",
        "    slot_duration: 90",
        "    horizon_days: 92",
        "    interval: 2m",
        "    debounce: 0s",
        "    grid: {first: '08:00', last: '24:00', step: 30}",
        "    customer: {name: '{player} (marketplace)', email: 'a+{key}@b.example', phone: '+33123', id: '{{7}}'}",
        "    policy: {min_notice: 60, serve_stale_max: 1h, on_unknown_outcome: keep, cancel_without_booking: 200}",
        "    facilities:",
        "      - {facility_id: '049', name: Court 1, resource_id: '49', service_id: 'rental:48', sport: padel,",
        "         surface: clay, indoor: false, description: Outside, price: {amount: 0, currency: EUR},",
        "         grid: {first: '09:15', last: '21:15', step: 45}}",
        "      - {facility_id: '49', name: Court 2, resource_id: '50'}",
    )
    assert [] == findings
    (one,) = settings.links
    grid, own = GridSettings("08:00", "24:00", 30), GridSettings("09:15", "21:15", 45)
    price = PriceSettings(0, "EUR")
    court = FacilitySettings(
        "049", "Court 1", "49", "rental:48", "padel", "clay", indoor=False, description="Outside", price=price, grid=own
    )
    assert (court, FacilitySettings("49", "Court 2", "50")) == one.facilities
    assert [own, grid] == [one.grid_of(facility) for facility in one.facilities]
    assert ("one-2", "WYZ", "Europe/Paris", 90, 92, 120.0, 0.0) == (
        one.name,
        one.center_id,
        one.time_zone,
        one.slot_duration,
        one.horizon_days,
        one.interval,
        one.debounce,
    )
    assert CustomerSettings("{player} (marketplace)", "a+{key}@b.example", "+33123", "{{7}}") == one.customer
    assert PolicySettings(60, 3600.0, "keep", 200) == one.policy


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ("  - ^x", "wrong-type element 1 is text; an object is needed"),
        (link(name="^One"), "wrong-value `name` does not fit: 1 to 63 of a-z"),
        (link("^colour: red"), "unknown-key `colour` is not known here"),
        (link("horizon_days: ^93"), "wrong-value `horizon_days` is too large: at most 92"),
        (link("horizon_days: ^0"), "wrong-value `horizon_days` is too small: at least 1"),
        (link("slot_duration: ^0"), "wrong-value `slot_duration` is too small: at least 1"),
        (link("slot_duration: ^60s"), "wrong-type `slot_duration` is text; a whole number is needed"),
        (link("interval: ^120"), "wrong-type `interval` is a number; text is needed"),
        (link("interval: ^0s"), "wrong-value `interval` does not fit: how often the club is looked at, such as"),
        (link("customer: {^nmae: x}"), "unknown-key `nmae` is not known here; did you mean `name`?"),
        *(
            (link(f"customer: {{name: ^'{text}'}}"), f"wrong-value `name` {problem}")
            for text, problem in (
                ("{playr}", "can hold `{player}` and `{key}` and nothing else in braces"),
                ("{}", "can hold"),
                ("{0}", "can hold"),
                ("{player.name}", "can hold"),
                ("{player!r}", "can hold"),
                ("{key:>9}", "can hold"),
                ("{key", "has a brace that is not closed or not opened"),
                ("key}", "has a brace that is not closed or not opened"),
            )
        ),
        (link("policy: {cancel_without_booking: ^403}"), "wrong-value `cancel_without_booking` must be 404, 409"),
        (link("policy: {on_unknown_outcome: ^hope}"), "not-allowed `on_unknown_outcome` must be one of comp"),
        (link("policy: {serve_stale_max: ^900}"), "wrong-type `serve_stale_max` is a number; text is needed"),
        (
            "  - {name: one, peer: market, club: club, center_id: X, facilities: ^[]}",
            "wrong-value `facilities` is too short: at least 1",
        ),
        (link(facilities="^{name: A, resource_id: x}"), "missing-key `facility_id` is missing (the court as"),
        (link(facilities="{facility_id: ^49, name: A, resource_id: x}"), "wrong-type `facility_id` is a number"),
        (
            link(facilities="{facility_id: a, name: A, resource_id: x, price: {amount: ^24.5, currency: EUR}}"),
            "wrong-type `amount` is a number; a whole number is needed",
        ),
        (
            link(facilities="{facility_id: a, name: A, resource_id: x, price: {amount: 24, currency: ^euro}}"),
            "wrong-value `currency` does not fit: ISO 4217 code, such as `EUR`",
        ),
        (
            link(facilities="{facility_id: a, name: A, resource_id: x, ^indoors: true}"),
            "unknown-key `indoors` is not known here; did you mean `indoor`?",
        ),
        (link("grid: {first: ^'8:00', last: '22:00', step: 60}"), "wrong-value `first` does not fit: when"),
        (link("grid: {first: ^'24:00', last: '24:00', step: 60}"), "wrong-value `first` does not fit: when"),
        (link("grid: {first: '08:00', last: '22:00', step: ^0}"), "wrong-value `step` is too small: at least 1"),
    ],
)
def test_keys(told, written, finding):
    """Each wrong key or value of a link is told in plain words at its place, and alone."""
    (found,) = told(written)
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ([link(peer="^markt")], "unknown-connection there is no such connection; did you mean `market`?"),
        ([link(club="^clubb")], "unknown-connection there is no such connection; did you mean `club`?"),
        ([link(club="^market")], "link-to-itself is the peer as well; a link joins two connections"),
        ([link(), link(name="^one", peer="fair")], "duplicate-link is also the name of number 1; names must differ"),
        (
            [link(), link(name="two", club="other", center_id="^X", facilities=COURT.replace(": a", ": b"))],
            "duplicate-link is also the center of number 1 at the same peer; put its facilities together",
        ),
        (
            [link(facilities=f"{COURT}, {COURT.replace(': a', ': ^a')}")],
            "duplicate-facility is also the facility of number 1 of `one`; the peer could not tell them apart",
        ),
        (
            [link(), link(name="two", center_id="Y", facilities=COURT.replace(": a", ": ^a"))],
            "duplicate-facility is also the facility of number 1 of `one`; the peer could not tell them apart",
        ),
    ],
)
def test_between_links(told, written, finding):
    """Ends that are no two connections, and what the marketplace could not tell apart, are told."""
    assert [finding] == told(*written)


def test_the_same_court_at_two_marketplaces(told):
    """Two marketplaces may name the center and its courts alike, and two links may have one club."""
    assert [] == told(link(), link(name="two", peer="fair"))


@pytest.mark.parametrize(
    ("first", "last", "step", "duration", "problem"),
    [
        ("08:00", "22:00", 60, 60, ""),
        ("08:00", "22:00", 30, 90, ""),
        ("08:00", "21:00", 90, 60, ""),
        ("00:00", "24:00", 1440, 1440, ""),
        ("22:00", "24:00", 60, 60, ""),
        ("08:00", "08:00", 60, 60, "must be later than `first`; 24:00 is the end of the day"),
        ("22:00", "00:00", 60, 60, "must be later than `first`; 24:00 is the end of the day"),
        ("08:00", "09:00", 30, 90, "no slot of 90 minutes fits between `first` and `last`"),
        (
            "08:00",
            "22:00",
            60,
            90,
            "slots of 90 minutes every 60 minutes from `first` end at 21:30 the last time; write that",
        ),
        (
            "08:00",
            "22:00",
            45,
            60,
            "slots of 60 minutes every 45 minutes from `first` end at 21:45 the last time; write that",
        ),
    ],
)
def test_grids(told, first, last, step, duration, problem):
    """The slots of a grid fit and end where it says, whether it is the link's or a court's own."""
    mark = "^" if problem else ""
    grid = f"grid: {{first: '{first}', last: {mark}'{last}', step: {step}}}"
    for line in (
        link(f"slot_duration: {duration}, {grid}"),
        link(facilities=COURT.replace("}", f", {grid}}}"), slot_duration=duration),
    ):
        assert ([f"wrong-grid {problem}"] if problem else []) == told(line)


def test_a_grid_without_length(told):
    """A grid says when slots begin and not how long they last."""
    grid = "^grid: {first: '08:00', last: '22:00', step: 60}"
    message = "a grid needs `slot_duration` in its link: how long the slots on it last"
    for line in (link(grid), link(facilities=COURT.replace("}", f", {grid}}}"))):
        assert [f"wrong-grid {message}"] == told(line)


def test_wrong_texts_are_not_shown(loaded):
    """What a link holds is in no finding: it may be a secret in the wrong place."""
    _, findings = loaded(link("customer: {name: 'hunter2 {', email: '{hunter2}'}, interval: hunter2"))
    assert len(findings) == 3
    assert [] == [one for one in findings if "hunter2" in one.message]
