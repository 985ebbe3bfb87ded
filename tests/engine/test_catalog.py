"""Mappings and connections put together: whole, or not at all and every reason told."""

import json

import pytest

from gateway import config
from gateway.engine import catalog
from gateway.model.model import load
from gateway.values.secrets import Secret

CANARY = "c4nary-v4lue"
SETTINGS = {
    "text": {"type": "string", "allowed": ["a", "b"]},
    "flag": {"type": "boolean"},
    "count": {"type": "integer", "allowed": [1, 2]},
    "web": {"type": "url"},
    "folder": {"type": "path"},
    "table": {"type": "object"},
    "names": {"type": "list"},
}
USED = {f"X-{name}": f"{{{{ settings.{name} }}}}" for name in SETTINGS}
GOOD = {"time_zone": "Europe/Berlin", "currency": "EUR", "key": CANARY}


@pytest.fixture
def written(tmp_path, merged):
    """Give a function that writes a mapping file of a fragment and gives its path."""
    (tmp_path / "mappings").mkdir()

    def of(name, fragment):
        path = tmp_path / "mappings" / f"{name}.yaml"
        data = merged({"provider": name, **fragment}, str(path), {(): (1, 1)}, {}).data
        path.write_text(json.dumps(data), encoding="utf-8")  # JSON is YAML
        return path

    return of


@pytest.fixture
def loaded(tmp_path):
    """Give a function that loads the mappings with these connections: the catalog, and the findings as text."""

    def of(connections, mappings=("mappings",), more=()):
        lines = [f"  {name}: {json.dumps(one)}" for name, one in connections.items()]
        caller = {"web": {"key": "0123456789abcdef", "may": ["read"]}}
        path = tmp_path / "gateway.yaml"
        text = [f"callers: {json.dumps(caller)}", f"mappings: {json.dumps(mappings)}", "connections:", *lines, *more]
        path.write_text("\n".join(text), encoding="utf-8")
        settings, findings = config.load(path, {})
        assert [] == findings
        found, findings = catalog.load(settings.mappings, settings, load())
        told = sorted(str(finding).removeprefix(f"{tmp_path}/") for finding in findings)
        assert (found is None) == any(finding.level == "error" for finding in findings)
        assert not [line for line in told if CANARY in line]
        return found, told

    return of


def club(provider="example", **settings):
    """Make the configuration of a connection."""
    return {"provider": provider, "settings": GOOD | settings}


def test_whole(written, loaded):
    """Every connection has its provider's plan, its settings with the defaults in, and its secrets kept as such."""
    written("example", {})
    written("another", {"settings": {"rest": {"type": "integer", "default": 5}}})
    found, told = loaded({"a": club(), "b": club("another", currency="GBP", base_url="https://b.example")})
    assert ["unused-setting: setting `rest` is never used"] == [line.partition("warning ")[2] for line in told]
    assert ["another", "example"] == list(found.providers)
    one, other = found.connections["a"], found.connections["b"]
    assert ("a", "Europe/Berlin", "EUR") == (one.name, one.zone, one.currency)
    assert {"id": "a", "time_zone": "Europe/Berlin", "currency": "EUR"} == one.scope["connection"]
    assert ("GBP", 5, "https://b.example") == (other.currency, other.public["rest"], other.public["base_url"])
    assert (Secret(CANARY), CANARY) == (one.scope["settings"]["key"], one.revealed["settings"]["key"])
    assert ["time_zone", "currency", "base_url"] == list(one.public)
    assert "a *** b" == one.redactor.text(f"a {CANARY} b")
    assert CANARY not in repr(one.scope) + repr(one.public) + repr(one.redactor)


def test_two_files_for_one_provider(written, loaded, tmp_path):
    """Two files that describe one provider are a finding at the name of the second."""
    written("example", {})
    other = written("zebra", {})
    other.write_text(other.read_text("utf-8").replace('"zebra"', '"example"'), encoding="utf-8")
    ((told,)) = loaded({"a": club()})[1]
    assert f"duplicate-provider: `example` is already described by {tmp_path}/mappings/example.yaml" in told
    assert told.startswith("mappings/zebra.yaml:1:")


def test_unknown_provider(written, loaded):
    """A connection to a provider that no file describes is told, with what was perhaps meant."""
    written("example", {})
    message = "no mapping describes the provider `exmaple`; did you mean `example`?"
    assert [f"gateway.yaml:4:19: error unknown-provider: {message}"] == loaded({"a": club("exmaple")})[1]


def test_broken_mapping(written, loaded):
    """A provider is not called unknown when its file is only broken: the file's own findings are told."""
    written("example", {"language": 3})
    written("another", {"nothing": 1})
    told = loaded({"a": club(), "b": club("another")})[1]
    assert ["unknown-key", "language-version"] == [line.split()[2].rstrip(":") for line in told]


def test_no_such_file(written, loaded, tmp_path):
    """A path that is neither file nor folder is told, and so is a file that is no YAML."""
    written("example", {})
    (tmp_path / "mappings" / "broken.yaml").write_text("a: [", encoding="utf-8")
    told = loaded({"a": club()}, ["mappings", "nowhere.yaml"])[1]
    assert [("mappings/broken.yaml", "syntax"), ("nowhere.yaml", "no-such-file")] == [
        (line.partition(":")[0], line.split()[2].rstrip(":")) for line in told
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("time_zone", CANARY, "an IANA time zone such as Europe/Berlin"),
        ("time_zone", [CANARY], "an IANA time zone such as Europe/Berlin"),
        ("time_zone", "Factory", "an IANA time zone such as Europe/Berlin"),
        ("currency", CANARY, "an ISO 4217 currency code such as EUR"),
        ("currency", 5, "an ISO 4217 currency code such as EUR"),
        ("currency", "", "currency"),
        ("key", "", "text that is not empty"),
        ("key", 12345678, "text that is not empty"),
        ("base_url", CANARY, "a URL beginning with https:// or http://"),
        ("web", f"javascript:{CANARY}", "a URL beginning with https:// or http://"),
        ("folder", f"/a/../{CANARY}", "a path of URL-safe segments, such as /v1/bookings"),
        ("folder", 5, "a path of URL-safe segments, such as /v1/bookings"),
        ("text", 5, "text"),
        ("text", CANARY, "one of a, b"),
        ("flag", "true", "true or false"),
        ("flag", 1, "true or false"),
        ("count", "1", "a whole number"),
        ("count", True, "a whole number"),
        ("count", 1.5, "a whole number"),
        ("count", 3, "one of 1, 2"),
        ("table", [CANARY], "object"),
        ("names", {CANARY: 1}, "list"),
    ],
)
def test_wrong_setting(written, loaded, name, value, expected):
    """A setting of the wrong kind is told at its place with what it must be, and never with what it is."""
    written("example", {"settings": SETTINGS, "http": {"headers": USED}})
    (told,) = loaded({"a": club(**{name: value})})[1]
    place, message = told.split(": error wrong-setting: ")
    assert f"`{name}` must be {expected}" == message
    assert place.startswith("gateway.yaml:4:")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "a"),
        ("flag", False),
        ("count", 2),
        ("web", "https://a.example/x"),
        ("folder", "/v1/bookings"),
        ("table", {"a": 1}),
        ("names", []),
    ],
)
def test_right_setting(written, loaded, name, value):
    """A setting of the right kind arrives as it is."""
    written("example", {"settings": SETTINGS, "http": {"headers": USED}})
    found, told = loaded({"a": club(**{name: value})})
    assert ([], value) == (told, found.connections["a"].public[name])


def test_missing_and_unknown_settings(written, loaded):
    """Every setting that is missing or unknown is told at once."""
    written("example", {})
    settings = {"currency": "EUR", "kye": CANARY}
    assert [
        "gateway.yaml:4:42: error missing-setting: `key` is missing (The key.)",
        "gateway.yaml:4:42: error missing-setting: `time_zone` is missing (The zone of its times.)",
        "gateway.yaml:4:62: error unknown-setting: example has no setting `kye`; did you mean `key`?",
    ] == loaded({"a": {"provider": "example", "settings": settings}})[1]


def test_version(written, loaded):
    """The version is the same for the same catalog, another for another one, and does not depend on secrets."""
    path = written("example", {})
    version = loaded({"a": club()})[0].version
    assert version == loaded({"a": club()})[0].version
    assert version == loaded({"a": club(key="another-s3cret")})[0].version
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), indent=2), encoding="utf-8")
    assert version == loaded({"a": club()})[0].version
    others = {
        loaded({"a": club(currency="GBP")})[0].version,
        loaded({"b": club()})[0].version,
        loaded({"a": club(), "b": club()})[0].version,
    }
    written("example", {"title": "Another"})
    others.add(loaded({"a": club()})[0].version)
    assert 5 == len(others | {version})


def test_digest(written, loaded):
    """A connection's digest changes with every setting, secrets included: its session begins anew."""
    written("example", {})
    digests = {
        loaded({"a": club(**change)})[0].connections["a"].digest
        for change in ({}, {"key": "another-s3cret"}, {"currency": "GBP"})
    }
    assert 3 == len(digests)
    assert not [one for one in digests if CANARY in one]


def test_frozen(written, loaded):
    """Nobody can change what is running."""
    written("example", {})
    found = loaded({"a": club()})[0]
    for mapping in (found.connections, found.providers, found.connections["a"].scope, found.connections["a"].public):
        with pytest.raises(TypeError):
            mapping["a"] = 1


def test_hooks_that_cannot_be_verified(written, loaded):
    """A key that anyone would guess and an address that nobody says are told at the start, and the key is not shown."""
    verify = {"hmac": "sha256", "keys": ["{{ settings.hook_key }}"], "signature": {"header": "X-Signature"}}
    verify |= {"signed": ["url", "body"]}
    hook = {"verify": verify, "dedupe": ["id"], "type": "customer.created", "record": "customer"}
    setting = {"type": "secret", "required": True, "meaning": "Signs."}
    records = {"customer": {"of": "Customer", "fields": {"id": "id", "name": "name"}}}
    written("example", {"hooks": {"events": hook}, "records": records, "settings": {"hook_key": setting}})
    found = loaded({"a": club(hook_key="short"), "b": club(hook_key="long enough for us")})[1]
    assert [
        ["gateway.yaml:4:127", "error weak-secret"],
        ["gateway.yaml:4:42", "error public-url-missing"],
        ["gateway.yaml:5:42", "error public-url-missing"],
    ] == [line.split(": ")[:2] for line in found]
    assert "shorter than 8 bytes" in found[0]
    assert "the hook `events` signs its own address: say `public_url`" in found[1]


@pytest.mark.parametrize(
    ("polling", "warned"),
    [("{interval: 60s}", True), ("{interval: 5m}", False), ("{window_days: 9}", False), ("", False)],
)
def test_an_interval_that_is_not_kept(written, loaded, polling, warned):
    """An interval that is written below the one of a mapping is a warning, at its place; the default is none."""
    nobody = dict.fromkeys(("service_id", "resource_id", "customer_id", "email", "updated_since"), "not told")
    booked = {"start": {"value": None}, "end": {"value": None}}
    item = {"of": "BookingItem", "fields": {"start": {"value": None}, "end": {"value": None}}}
    booked |= {"id": "id", "status": {"value": "confirmed"}, "time_zone": {"compute": "{{ settings.time_zone }}"}}
    booked |= {"all_day": {"value": False}, "quantity": {"value": 1}, "items": {"record": "item", "rows": "[@]"}}
    records = {"item": item, "booked": {"of": "Booking", "fields": booked}}
    listing = {"call": {"get": "/a"}, "result": {"rows": "@", "record": "booked"}, "unsupported": nobody}
    parts = {"records": records, "operations": {"bookings.list": listing}}
    parts |= {"polling": {"bookings": {"run": "bookings.list", "interval": "2m", "missing": "ignore"}}}
    written("example", parts)
    found, told = loaded({"a": club(), "b": club()}, more=[f"polling: {polling}"] if polling else [])
    assert 120.0 == found.connections["a"].provider.polling.interval
    lines = [line for line in told if "interval-not-kept" in line]
    assert warned == any("`example` every 120 s" in line and line.startswith("gateway.yaml:6:") for line in lines)
    assert warned == bool(lines)
