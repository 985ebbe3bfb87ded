"""`gateway explain`: what an operation does with the line each part comes from, and the words of the language."""

import re
from pathlib import Path

import pytest

from gateway.cli.explain_calls import pages_text
from gateway.mapping.codecs import CODECS
from gateway.mapping.expressions.functions import FUNCTIONS
from gateway.mapping.language import PARTS
from gateway.model.model import load

ROOT = Path(__file__).parents[2]


def test_operation(gateway, house):
    """Every call, field and error rule of an operation is shown with the line of the mapping that makes it."""
    code, out, err = gateway("explain", "desk", "bookings.create")
    assert (0, "") == (code, err)
    lines = (house / "mappings" / "desk.yaml").read_text(encoding="utf-8").splitlines()
    placed = re.findall(r"^ +(.*?) +mappings/desk\.yaml:(\d+)$", out, re.MULTILINE)
    told = {text: lines[int(number) - 1] for text, number in placed}
    assert "post: /bookings" in next(line for text, line in told.items() if text.startswith("answer: POST /bookings"))
    assert "status: {at: cancelled" in next(line for text, line in told.items() if text.startswith("Booking.status"))
    assert "is: BOOKING_CONFLICT" in next(line for text, line in told.items() if text.endswith("→ BOOKING_CONFLICT"))
    assert "needs slot_id: a slot is booked" in out
    assert "cannot honour hold: nothing is held" in out
    assert "auth: static" in out
    assert "[unsafe]" in out


def test_code(gateway, house):
    """The code that is generated is shown beside the lines it is made of, and how much of each operation there is."""
    code, out, err = gateway("explain", "desk", "bookings.create", "--code")
    assert (0, "") == (code, err)
    assert re.search(r"# reads Booking by `\w+`\ndef made\(value, scope\):\n", out)
    assert re.search(r"(?m)^    # mappings/desk\.yaml:\d+ status ← cancelled", out)
    assert "parts are written out" in out.splitlines()[-1]
    code, out, _ = gateway("explain", "desk", "--code")
    assert 0 == code
    assert re.search(r"(?m)^  bookings\.create +\d+ of \d+ parts are written out", out)


def test_native(gateway, house):
    """A provider's own operation is explained like the others."""
    code, out, _ = gateway("explain", "desk", "native.greet")
    assert 0 == code
    assert "greet" in out
    assert "[safe]" in out


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ("{rows: data, next: links.next}", "at most 100 pages joined at data, by next in links.next"),
        ("{rows: '@', next: {link: next}, most: 5}", "at most 5 pages joined at @, by next in the Link header (next)"),
        (
            "{rows: a.b, offset: {}, send: {query: {o: '{{ offset }}'}}, until: '!a.b'}",
            "at most 100 pages joined at a.b, by offset from 0, the last one where !a.b",
        ),
    ],
)
def test_pages(compiled, pages, told):
    """Pages that a call follows are told with how the next and the last one are known."""
    plan = compiled(f"native: {{all: {{safe: true, call: {{get: /a, pages: {pages}}}}}}}")
    (step,) = plan.ways["native.all"][0].variants[0].steps
    assert told == pages_text(step.call.pages)


def test_unknown_operation(gateway, house):
    """An unknown operation is wrong usage, with the name that may have been meant."""
    assert (2, "", "desk bookings.cancle is not mapped; did you mean `bookings.cancel`?\n") == gateway(
        "explain", "desk", "bookings.cancle"
    )
    assert (2, "", "desk native.great is not mapped; did you mean `native.greet`?\n") == gateway(
        "explain", "desk", "native.great"
    )


def test_unsupported_operation(gateway, house):
    """An operation the provider cannot do is explained by the reason its mapping gives."""
    code, out, err = gateway("explain", "desk", "bookings.reschedule")
    assert (0, "desk bookings.reschedule cannot be done: cancel and book again\n") == (code, out + err)


def test_provider(gateway, house):
    """Of a provider every operation is listed: those it can do with their lines, the others with the reason."""
    code, out, err = gateway("explain", "desk")
    assert (0, "") == (code, err)
    assert re.search(r"^  bookings\.cancel +native +mappings/desk\.yaml:\d+", out, re.MULTILINE)
    assert re.search(r"^  bookings\.reschedule +unsupported +cancel and book again", out, re.MULTILINE)
    assert re.search(r"^  native\.greet +mappings/desk\.yaml:\d+", out, re.MULTILINE)


def test_unknown_provider(gateway, house):
    """An unknown provider is wrong usage, and the known ones are named."""
    assert (2, "", "there is no provider `dask`; the mappings describe desk\n") == gateway("explain", "dask")


@pytest.mark.parametrize(
    ("words", "names"), [("codecs", CODECS), ("functions", FUNCTIONS), ("keys", PARTS)], ids=lambda one: str(one)[:9]
)
def test_words(gateway, words, names):
    """All words of the language are explained, or one of them; an unknown one is wrong usage with a guess."""
    code, out, err = gateway("explain", words)
    assert (0, "") == (code, err)
    assert [] == [name for name in names if not re.search(rf"^{name}\b", out, re.MULTILINE)]
    name = max(names, key=len)
    code, one, _ = gateway("explain", words, name)
    assert 0 == code
    assert one in out
    assert len(one) < len(out)
    code, out, err = gateway("explain", words, f"{name}x")
    assert (2, "") == (code, out)
    assert f"there is nothing named `{name}x` among the {words}; did you mean `{name}`?\n" == err


@pytest.mark.parametrize(("name", "operation"), [("locaboo", "bookings.create"), ("simplybook", "slots.list")])
def test_shipped(gateway, monkeypatch, name, operation):
    """The hardest operations of the shipped providers can be explained, and nothing of it looks like Python."""
    monkeypatch.chdir(ROOT)
    code, out, err = gateway("explain", name, operation, "--mappings", f"mappings/{name}.yaml")
    assert 0 == code, err
    assert len(out.splitlines()) > 20
    assert not re.search(r"<function|object at 0x|None\b.*None\b|Path\(|Template\(", out), out


def test_ways(gateway, monkeypatch):
    """Every way of an operation is shown with the settings it needs, and the scheme of a call that has its own."""
    monkeypatch.chdir(ROOT)
    code, out, err = gateway("explain", "simplybook", "bookings.reschedule", "--mappings", "mappings/simplybook.yaml")
    assert 0 == code, err
    assert ["native", "emulated"] == re.findall(r"^simplybook bookings\.reschedule: (\w+)", out, re.MULTILINE)
    assert 1 == len(re.findall(r"only with the setting user_login: ", out))
    assert re.search(r"moved: POST /admin editBook \(jsonrpc body, 10 s, auth: admin\b", out)
    listed = gateway("explain", "simplybook", "--mappings", "mappings/simplybook.yaml")[1]
    told = re.findall(
        r"^  bookings\.reschedule +(\w+) +mappings/simplybook\.yaml:\d+ (\(with \w+\))?", listed, re.MULTILINE
    )
    assert [("native", "(with user_login)"), ("emulated", "")] == told
    assert re.search(
        r"^  native\.getStatuses +mappings/simplybook\.yaml:\d+ \(with user_login\)$", listed, re.MULTILINE
    )


HOOKS = """
hooks:
  callback:
    verify: [{equals: {club: a}}, {token: path, keys: ["{{ settings.key }}"]}, {fetch: {forged: [BOOKING_NOT_FOUND]}}]
    dedupe: [{header: X-Id}, id]
    type: {at: kind, as: {enum: {new: booking.created}, else: changed}}
    fetch: {run: bookings.get, with: {id: "{{ body.id }}"}}
    replies: {default: {status: 200, text: OK}}
  open: {verify: none, dedupe: body, rows: items, type: changed, record: booking, omits: {changed: [end]}}
"""


def test_hook(gateway, house):
    """A hook is shown with how its sender is known, what names a delivery, what it means and what is answered."""
    file = house / "mappings" / "desk.yaml"
    file.write_text(file.read_text(encoding="utf-8") + HOOKS, encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    code, out, err = gateway("explain", "desk", "hooks.callback")
    assert (0, "desk hooks.callback: POST, JSON") == (code, out[: len("desk hooks.callback: POST, JSON")]), err
    placed = re.findall(r"^ +(.*?) +mappings/desk\.yaml:(\d+)$", out, re.MULTILINE)
    told = {text: lines[int(number) - 1].strip().partition(":")[0] for text, number in placed}
    assert {
        "verify: token path by the setting key": "verify",
        "verify: club is a": "verify",
        "verify: bookings.get does not end with BOOKING_NOT_FOUND": "fetch",
        "named by header x-id, id": "dedupe",
        "event: kind": "type",
        "object: fetched by bookings.get": "fetch",
        "reply, taken: 204, no body": "callback",
        "reply, default: 200, plain text": "replies",
    } == told
    assert "any other word → changed" in out
    _, out, _ = gateway("explain", "desk", "hooks.open")
    for text in ("anybody may send", "each of items", "named by body", "event: changed", "tell end", "Booking.id"):
        assert text in out
    listed = gateway("explain", "desk")[1]
    assert re.search(r"^  hooks\.callback +mappings/desk\.yaml:\d+$", listed, re.MULTILINE)
    assert "did you mean `hooks.callback`?" in gateway("explain", "desk", "hooks.calback")[2]


def test_hook_that_asks(gateway, monkeypatch):
    """A hook that asks is shown with each ask in its order: its condition, what reads it, and what is answered."""
    monkeypatch.chdir(ROOT)
    code, out, err = gateway("explain", "market", "hooks.calendar", "--mappings", "tests/market.yaml")
    assert (0, "market hooks.calendar: GET or POST, JSON") == (code, out[:40]), err
    lines = (ROOT / "tests" / "market.yaml").read_text(encoding="utf-8").splitlines()
    placed = re.findall(r"^ +(.*?) +tests/market\.yaml:(\d+)$", out, re.MULTILINE)
    told = [(text, lines[int(number) - 1].strip(" -").partition(":")[0]) for text, number in placed]
    first = told.index(("requests: availability.requested when {{ method == 'GET' }}", "request"))
    assert [
        ('AvailabilityRequest.center_id ← {"$optional": "{{ query.club }}"}', "request"),
        ('AvailabilityRequest.days ← {"$optional": "{{ int(query.days) }}"}', "request"),
        ("reply, done: 200, JSON", "reply"),
        ("requests: booking.requested when {{ body.kind == 'book' }}", "request"),
        ("request: order", "request"),
        ("BookingRequest.resource_id ↔ court", "resource_id"),
    ] == told[first + 1 : first + 7]
    assert ("reply, done: 200, plain text", "reply") in told
    assert ("reply, BOOKING_CONFLICT: 409, JSON", "BOOKING_CONFLICT") in told
    assert "taken" not in out


def test_the_contract(gateway):
    """Of an operation every argument is told, with who honours it, the fields of its result, errors and an example."""
    code, out, err = gateway("explain", "contract", "bookings.create")
    assert (0, "") == (code, err)
    lines = out.splitlines()
    assert "  customer.name          text, required [mapping]: Full name." in lines
    assert (
        "  notes                  text, perhaps of several lines [mapping, if it can]: The customer's remarks." in lines
    )
    assert "  one of slot_id, start is given" in lines
    assert "  items                  list of BookingItem, 1 or more elements, required: What is held and when." in lines
    assert "OUTCOME_UNKNOWN" in next(line for line in lines if line.startswith("errors: "))
    assert lines[lines.index("example:") + 1].startswith('  args: {"resource_id": ')
    model = load()
    told = gateway("explain", "contract")[1]
    assert [name for name in (*model.operations, *model.types) if name not in told] == []
    assert (
        "  minutes                integer, 1 to 525600, required: How long" in gateway("explain", "contract", "Hold")[1]
    )
    assert "one of on_hold, pending" in gateway("explain", "contract", "BookingStatus")[1]
    assert "did you mean `bookings.create`?" in gateway("explain", "contract", "bookings.crate")[2]
