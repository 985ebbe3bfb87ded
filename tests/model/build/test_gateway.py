"""The gateway's own side is built from its document on the contract, or everything that is wrong with it is told."""

import pytest

from gateway.documents.yaml import parse
from gateway.model.build import ModelBroken, build, build_gateway
from gateway.model.model import Access, load
from tests.model.build.test_contract import BASE as CONTRACT

BASE = """\
types:
  Try: {meaning: One try, fields: {at: {type: instant, meaning: When}}}
resources:
  Ship:
    {meaning: A thing,
     fields: {id: {type: id, required: true, meaning: Its id}, tries: {type: {list: Try}, meaning: Tries}}}
  OperatorShip: {meaning: A thing and whose, part_of: Ship, also: {owner: {type: text, meaning: Whose}}}
operations:
  ships.get:
    {summary: Read, access: caller, scope: read, method: GET, path: "/v1/ships/{id}", gives: {one: Ship},
     not_found: GONE, uses: [store], args: {id: {type: id, where: path, required: true, meaning: Which}}}
  ships.create:
    {summary: Make, access: caller, scope: [write, read], method: POST, path: /v1/ships, gives: {one: Ship},
     status: 201, args: {events: {type: {list: {event_types: ["*"]}, maximum: all}, meaning: Which}},
     idempotency_key: true}
  admin.ships.get:
    {summary: Read any, access: admin, method: GET, path: "/admin/ships/{id}", gives: {one: OperatorShip},
     errors: [GONE], args: {id: {type: id, where: path, required: true, meaning: Which}}}
  ship.picture:
    {summary: Look, access: public, method: GET, path: /picture, gives: {text: image/png}, answer: It.,
     answers: {"503": Later.}, empty: {"304": It is yours.}}
"""


def _gateway(text):
    """Build a document on the smallest contract. Raises ModelBroken."""
    (contract, _), (document, findings) = parse(CONTRACT.encode(), "contract"), parse(text.encode(), "gateway")
    assert document is not None, findings
    return build_gateway(document, build(contract))


def test_what_is_declared_is_built():
    """An operation has the access, scopes, types and answers that its part of the file says, and nothing is guessed."""
    built = _gateway(BASE)
    found = built.operations
    assert [Access.CALLER, Access.CALLER, Access.ADMIN, Access.PUBLIC] == [one.access for one in found.values()]
    assert [("read",), ("write", "read"), (), ()] == [one.scopes for one in found.values()]
    events = found["ships.create"].args["events"].type
    assert (("*", "booking.created"), 2) == (events.item.allowed, events.maximum)
    assert ["id", "tries", "owner"] == [*built.resources["OperatorShip"].fields]
    picture = found["ship.picture"]
    assert (("image/png", {"type": "string"}), {503: "Later."}, {304: "It is yours."}) == (
        picture.content,
        picture.answers,
        picture.empty,
    )


def test_what_is_the_operators_stands_in_no_document():
    """Callers' documents have the types that callers meet, those inside others among them, and no others."""
    assert {"Try", "Ship"} == set(_gateway(BASE).documented())
    assert not [one.name for one in load().gateway.operations.values() if one.access == "admin" and one.is_documented]


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("access: public", "access: anybody", "anybody", "`anybody` is not known here"),
        ("access: public, ", "", "{summary: Look", "`access` is missing"),
        (
            "access: caller, scope: read",
            "access: caller",
            "{summary: Read,",
            "`scope` is what a caller's key must allow",
        ),
        ("access: admin,", "access: admin, scope: read,", "{summary: Read any", "`scope` is what a caller's key must"),
        (
            "scope: [write, read]",
            "scope: [write, reed]",
            "[write, reed]",
            "`reed` is not known here; did you mean `read`",
        ),
        ("method: POST", "method: PSOT", "PSOT", "`PSOT` is not known here; did you mean `POST`?"),
        ("method: POST", "method: DELETE", "true}", "a DELETE is repeated as it is"),
        ("uses: [store]", "uses: [stores]", "[stores]", "`stores` is not known here; did you mean `store`?"),
        ("errors: [GONE]", "errors: [GOEN]", "[GOEN]", "`GOEN` is not known here; did you mean `GONE`?"),
        ("not_found: GONE", "not_found: GOEN", "GOEN", "`GOEN` is not known here; did you mean `GONE`?"),
        ("{one: Ship}", "{one: Shipp}", "{one: Shipp}", "`Shipp` is not known here; did you mean `Ship`?"),
        ("{text: image/png}", "{text: image/png, json: {}}", "{text", "must have exactly one key"),
        ('"503"', '"999"', '{"999"', "`999` is not known here"),
        ('"/v1/ships/{id}"', "/v1/ships/one", "/v1/ships/one", "the path and its arguments do not name the same"),
        (
            "method: GET, path: /picture",
            "method: POST, path: /v1/ships",
            "/v1/ships, gives: {text",
            "`ships.create` has this",
        ),
        (
            "path: /picture",
            "path: '/v1/{connection}/b/{id}', args: {id: {type: id, where: path, required: true, meaning: A}}",
            "'/v1/{connection}/b/{id}'",
            "`bookings.get` has this",
        ),
        ("  Ship:", "  Booking:", "{meaning: A thing,", "the contract has a `Booking` already"),
        ("part_of: Ship,", "part_of: Shop,", "Shop", "there is no type `Shop`"),
        ("{list: Try}", "{list: Try, maximum: all}", "all}", "`all` is as many as an enum has values"),
        ("summary: Look", "summary: Look, cached: true", "true", "`cached` is not known here"),
        (
            "operations:",
            "operation: {}\noperations:",
            "{}",
            "`operation` is not known here; did you mean `operations`?",
        ),
    ],
)
def test_a_broken_file_says_where(old, new, place, message):
    """A fault of the file is found where it stands, with a suggestion where there is one."""
    assert old in BASE
    text = BASE.replace(old, new, 1)
    with pytest.raises(ModelBroken) as broken:
        _gateway(text)
    lines = text.split("\n")
    found = [(lines[one.line - 1][one.column - 1 :], one.message) for one in broken.value.findings]
    assert [] != [one for one in found if one[0].startswith(place) and one[1].startswith(message)], found
