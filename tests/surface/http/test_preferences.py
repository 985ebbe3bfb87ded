"""What a provider cannot keep, as the caller prefers it: kept back with a warning, or refused (RFC 7240)."""

import pytest

from gateway.model.model import load
from tests.conformance_page import shipped

BOOKINGS = "/v1/club-a/bookings"
REASON = "only the name is kept"
WARNED = [("NOT_KEPT", "customer.language", REASON)]


def warned(body):
    """Give what an answer warns of."""
    return [(one["code"], one["field"], one["reason"]) for one in body.get("warnings", [])]


@pytest.mark.parametrize(
    ("prefer", "more", "status", "told"),
    [
        (None, {"language": "de"}, 201, WARNED),
        (None, {}, 201, []),
        ("handling=lenient", {"language": "de"}, 201, WARNED),
        ("handling=lenient", {"phone": "1"}, 201, [("NOT_KEPT", "customer.phone", REASON)]),
        ("handling=lenient", {"address": {"city": "x"}}, 201, [("NOT_KEPT", "customer.address", REASON)]),
        ("handling=lenient", {"email": "a@b.example"}, 501, "customer.email"),  # it says who books
        ("handling=strict", {"language": "de"}, 501, "customer.language"),
        ("handling=strict", {}, 201, []),
        (None, {"phone": "1"}, 501, "customer.phone"),
    ],
)
async def test_descriptive_fields(call, provider, booking, new, prefer, more, status, told):
    """A field that only describes is lost with a warning, or refused; what says who books is never lost."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    body = new | {"customer": new["customer"] | more}
    headers = {} if prefer is None else {"Prefer": prefer}
    found, answer, given = await call("POST", BOOKINGS, json=body, headers=headers)
    assert status == found
    if status == 201:
        assert told == warned(answer)
        assert prefer == given.get("Preference-Applied")
        sent = {"court": "c1", "start": new["start"], "end": new["end"], "name": "Ada"}
        assert [("POST", "/bookings", sent)] == provider.asked
    else:
        assert f"bookings.create.{told}" == answer["error"]["details"]["capability"]
        assert [] == provider.asked


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["respond-async, handling=lenient;x=1"], 201),
        (["a", 'HANDLING = "Lenient"'], 201),
        (["handling=lenient, handling=strict"], 201),  # the first counts
        (['note="handling=strict, x", handling=lenient'], 201),
        (["handling=strict, handling=lenient"], 501),
        (["handling=other"], 501),
        (["handling"], 501),
        (['"handling=lenient'], 501),
    ],
)
async def test_read_as_the_rfc_says(call, provider, booking, new, fields, status):
    """`Prefer` is read as RFC 7240 §2 has it; what cannot be read changes nothing."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    body = new | {"customer": {"name": "Ada", "phone": "1"}}
    found, _, _ = await call("POST", BOOKINGS, json=body, headers={"Prefer": ", ".join(fields)})
    assert status == found


async def test_a_change_of_which_nothing_is_left(call, provider, booking):
    """A change that would keep nothing of what was given is refused; one that keeps something warns of the rest."""
    provider.answers["PATCH /bookings/7"] = (200, {"ok": True, "data": booking})
    lenient = {"Prefer": "handling=lenient"}
    status, body, _ = await call("PATCH", f"{BOOKINGS}/7", json={"metadata": {"a": "b"}}, headers=lenient)
    assert (501, "bookings.update.metadata") == (status, body["error"]["details"]["capability"])
    changed = {"metadata": {"a": "b"}, "notes": "late"}
    status, body, _ = await call("PATCH", f"{BOOKINGS}/7", json=changed, headers=lenient)
    assert (200, [("NOT_KEPT", "metadata", "nothing is kept")]) == (status, warned(body))
    assert [("PATCH", "/bookings/7", {"notes": "late"})] == provider.asked


async def test_a_repeat_is_warned_as_well(call, provider, booking, new):
    """With an Idempotency-Key the kept answer has the same warnings, and the header of the first."""
    provider.answers["POST /bookings"] = (200, {"ok": True, "data": booking})
    body = new | {"customer": {"name": "Ada", "language": "de"}}
    headers = {"Idempotency-Key": "k-1", "Prefer": "handling=lenient"}
    first = await call("POST", BOOKINGS, json=body, headers=headers)
    again = await call("POST", BOOKINGS, json=body, headers=headers)
    assert WARNED == warned(first[1])
    assert (first[:2], "handling=lenient") == (again[:2], again[2]["Preference-Applied"])


async def test_a_list_that_must_be_whole(call, provider):
    """Who prefers `strict` is given no list without the rows that do not fit, nor the pages of such a reading."""
    rows = [{"id": "1", "name": "Court 1"}, {"id": "2", "name": "Court 2"}, {"name": "Court 3"}]
    provider.answers["GET /courts"] = (200, {"ok": True, "data": rows})
    path = "/v1/club-a/resources?limit=1"
    status, body, headers = await call("GET", path)
    assert (200, ["ROW_LEFT_OUT"]) == (status, [one["code"] for one in body["warnings"]])
    strict = {"Prefer": "handling=strict"}
    following = headers["Link"].partition(">")[0][1:]
    for one in (path, following):
        assert 502 == (await call("GET", one, headers=strict))[0]


async def test_capabilities_tell_which_is_which(call):
    """A connection tells what is refused, what is lost, and of what is refused what lenient handling loses."""
    _, body, _ = await call("GET", "/v1/club-a")
    limits = body["capabilities"]["bookings.create"]["limits"]
    assert {"customer.language": REASON} == limits["partial_arguments"]
    refused, lenient = set(limits["unsupported_arguments"]), set(limits["lenient_arguments"])
    assert {"customer.phone", "customer.address", "metadata", "form_responses"} <= lenient < refused
    assert {"slot_id", "quantity", "hold", "customer.id", "customer.email"} <= refused - lenient


def test_no_shipped_mapping_fails_a_write_for_what_only_describes():
    """The shipped mappings name under `partial:` what they cannot keep of a thing that is made, moved or cancelled."""
    operations = load().operations
    refused = [
        (way.origin, name)
        for plan, _ in shipped()
        for one, ways in plan.ways.items()
        if one in operations and not operations[one].patch
        for way in ways
        for name in way.unsupported
        if operations[one].describes(name)
    ]
    assert [] == refused
