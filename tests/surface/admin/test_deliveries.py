"""The operator's side of events: deliveries, dead letters, replays and everybody's subscriptions."""

import json
import logging
import re

import pytest

from gateway.store.deliveries.subscriptions import configured_id, disable
from gateway.store.events.events import Receipt, append, receive
from tests.subscribers import OWN, START, events_of, happened

PATHS = [
    ("GET", "/admin/deliveries"),
    ("GET", "/admin/dead-letters"),
    ("POST", "/admin/dead-letters/rcp_1/replay"),
    ("POST", "/admin/replay"),
    ("GET", "/admin/jobs"),
    ("GET", "/admin/jobs/job_1"),
    ("POST", "/admin/jobs/job_1/cancel"),
    ("GET", "/admin/subscriptions"),
    ("GET", "/admin/subscriptions/wh_1"),
    ("POST", "/admin/subscriptions/wh_1/test"),
    ("POST", "/admin/subscriptions/wh_1/enable"),
]


@pytest.fixture
def settings(settings):
    """Give the settings of a gateway with events."""
    return events_of(settings)


@pytest.fixture
async def client(settings, dependencies, serve_events):
    """Give a client of the gateway with the routes of events."""
    return await serve_events(settings, dependencies)


@pytest.fixture
async def told(dependencies):
    """Store three events of two connections."""
    new = [happened(1), happened(2, "club-b"), happened(3, "club-b", START + 60_000)]
    await dependencies.database.write(lambda opened: append(opened, new, dependencies.fresh))


@pytest.fixture
def letters(dependencies):
    """Give a function that stores dead letters of these ids, each received at the same moment."""

    async def of(*keys):
        def work(opened):
            for key in keys:
                head = {"method": "POST", "query": [], "headers": [["content-type", "application/json"]]}
                request = json.dumps(head).encode() + b"\n" + (b"\xff" if key == "rcp_raw" else b'{"id": 7}')
                about = {"hook": "events", "dedupe": key, "digest": "d", "received_at": START, "request": request}
                receive(opened, Receipt(key, "club-a", **about, state="dead", reason="no `id`", origin="courts.yaml:9"))

        await dependencies.database.write(work)

    return of


async def pages(caller, path):
    """Give the entries of all pages of a list, two at a time."""
    found, cursor = [], ""
    while True:
        status, page, _ = await caller("GET", f"{path}limit=2{cursor}")
        assert 200 == status, page
        found += page["data"]
        if not page["page"]["has_more"]:
            return found
        cursor = f"&cursor={page['page']['next_cursor']}"


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_the_operators_alone(call, call_as, method, path):
    """Nobody but the operator passes, and whoever has no key learns nothing."""
    status, body, _ = await call(method, path)
    assert (403, "admin") == (status, body["error"]["details"]["needs"])
    assert 401 == (await call_as(None)(method, path))[0]


def test_every_operation_has_its_route(engine):
    """The operations of the operator are the paths that are guarded above."""
    kinds = ("admin.deliveries", "admin.dead_letters", "admin.replay", "admin.jobs", "admin.subscriptions")
    operations = engine.model.gateway.operations
    paths = {(one.method, one.path) for name, one in operations.items() if name.startswith(kinds)}
    assert paths == {(method, re.sub("(rcp|job|wh)_1", "{id}", path)) for method, path in PATHS}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["evt_x3", "evt_x2", "evt_x1"]),
        ("connection=club-b", ["evt_x3", "evt_x2"]),
        ("event=evt_x1", ["evt_x1"]),
        ("state=pending&subscription=OWN", ["evt_x3", "evt_x2", "evt_x1"]),
        ("state=dead", []),
    ],
)
async def test_deliveries(operator, told, query, expected):
    """Deliveries are listed from the newest event on, narrowed down as asked."""
    query = query.replace("OWN", configured_id(OWN))
    found = await pages(operator, f"/admin/deliveries?{query}&" if query else "/admin/deliveries?")
    assert expected == [one["event"] for one in found]
    assert {0} >= {one["attempts"] for one in found}


async def test_attempts(operator, subscribe, dependencies, endpoint, sending):
    """The operator is shown every attempt, with what the endpoint answered."""
    endpoint.status = 500
    made = await subscribe(endpoint.url)
    await dependencies.database.write(lambda opened: append(opened, [happened(1)], dependencies.fresh))
    path = f"/admin/deliveries?subscription={made['id']}&include=attempts"

    async def dead():
        return (await operator("GET", f"{path}&state=dead"))[1]["data"]

    await sending(dead)
    (found,) = await dead()
    assert [(1, 500), (2, 500), (3, 500)] == [(one["number"], one["status"]) for one in found["tries"]]
    assert {"inner secrets"} == {one["excerpt"] for one in found["tries"]}
    assert found["reason"]


async def test_dead_letters(operator, letters, caplog):
    """Dead letters are listed with their reason; what was sent is shown on request, and the log says to whom."""
    await letters("rcp_1", "rcp_2", "rcp_raw")
    found = await pages(operator, "/admin/dead-letters?")
    assert ["rcp_raw", "rcp_2", "rcp_1"] == [one["id"] for one in found]
    expected = {"id": "rcp_1", "connection": "club-a", "hook": "events", "received_at": "2027-01-15T08:00:00+00:00"}
    assert expected | {"reason": "no `id`", "origin": "courts.yaml:9"} == found[-1]
    with caplog.at_level(logging.INFO, "gateway"):
        found = await pages(operator, "/admin/dead-letters?include=payload&")
    assert ['{"id": 7}', "/w=="] == [found[-1]["payload"]["body"], found[0]["payload"]["body_base64"]]
    assert 3 == sum(record.getMessage() == "admin.read_payload" for record in caplog.records)


async def test_a_dead_letter_is_read_again(operator, letters):
    """A letter whose hook the mapping has not, or that is none, is told as that."""
    await letters("rcp_1")
    for key in ("rcp_1", "rcp_2"):
        status, body, _ = await operator("POST", f"/admin/dead-letters/{key}/replay")
        assert (404, "NOT_FOUND") == (status, body["error"]["code"])


async def test_replayed(operator, told, endpoint, subscribe, sending, caplog):
    """A replay is begun, sent, told as done with its counts, and written into the log."""
    made = await subscribe(endpoint.url, connections=["club-b"])
    asked = {"sequence_from": 1, "subscription": made["id"]}
    with caplog.at_level(logging.INFO, "gateway"):
        status, begun, headers = await operator("POST", "/admin/replay", json=asked)
    job = begun["job"]
    assert (202, f"/admin/jobs/{job['id']}") == (status, headers["Location"])
    assert ("running", asked, 2, 0) == (job["state"], job["what"], job["total"], job["delivered"])
    assert ["admin.replayed"] == [one.getMessage() for one in caplog.records if "replay" in one.getMessage()]

    async def done():
        return (await operator("GET", headers["Location"]))[1]["state"] == "done"

    await sending(done)
    assert ["evt_x2", "evt_x3"] == [headers["webhook-id"] for headers, _ in endpoint.got]
    _, ended, _ = await operator("GET", headers["Location"])
    assert (2, 0, 0, 0) == tuple(ended[state] for state in ("delivered", "pending", "dead", "cancelled"))
    assert ended["finished_at"]
    assert [ended] == (await operator("GET", "/admin/jobs"))[1]["data"]


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ({"event": "evt_x2"}, 1),
        ({"from": "2027-01-15T08:00:30Z"}, 1),
        ({"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T08:00:30Z"}, 2),
        ({"sequence_from": 1, "sequence_to": 2}, 2),
        ({"sequence_from": 1, "connection": "club-b"}, 2),
        ({"state": "dead"}, 0),
    ],
)
async def test_what_is_replayed(operator, told, asked, total):
    """One event, a range of times or numbers, or what was given up can be replayed."""
    status, begun, _ = await operator("POST", "/admin/replay", json=asked)
    assert (202, total, "running") == (status, begun["job"]["total"], begun["job"]["state"])
    told_back = {name: value.replace("Z", "+00:00") if "Z" in str(value) else value for name, value in asked.items()}
    assert told_back == begun["job"]["what"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({}, 400, "VALIDATION_ERROR"),
        ({"to": "2027-01-15T08:00:00Z"}, 400, "VALIDATION_ERROR"),
        ({"state": "delivered"}, 400, "VALIDATION_ERROR"),
        ({"sequence_from": 0}, 400, "VALIDATION_ERROR"),
        ({"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T08:00:00Z"}, 422, "INVALID_TIME"),
        ({"event": "evt_none"}, 404, "NOT_FOUND"),
        ({"state": "dead", "connection": "nowhere"}, 400, "VALIDATION_ERROR"),
        ({"event": "evt_x1", "subscription": "wh_none"}, 404, "NOT_FOUND"),
    ],
)
async def test_what_is_not(operator, told, asked, status, code):
    """A replay of nothing, of what is not there, or to nobody is refused."""
    found, body, _ = await operator("POST", "/admin/replay", json=asked)
    assert (status, code) == (found, body["error"]["code"])


async def test_to_one_that_is_disabled(operator, told, call, subscribe):
    """Nothing is replayed to a subscription that is not active."""
    made = await subscribe()
    await call("PATCH", f"/v1/webhooks/{made['id']}", json={"active": False})
    status, body, _ = await operator("POST", "/admin/replay", json={"event": "evt_x1", "subscription": made["id"]})
    assert (409, "INVALID_STATE") == (status, body["error"]["code"])


async def test_cancelled(operator, told):
    """A replay can be ended while it runs, and only then; jobs are listed from the newest on."""
    for _ in range(3):
        _, begun, _ = await operator("POST", "/admin/replay", json={"event": "evt_x1"})
    path = f"/admin/jobs/{begun['job']['id']}"
    status, ended, _ = await operator("POST", f"{path}/cancel")
    assert (200, "cancelled") == (status, ended["state"])
    assert 409 == (await operator("POST", f"{path}/cancel"))[0]
    for method, missing in (("GET", "/admin/jobs/job_none"), ("POST", "/admin/jobs/job_none/cancel")):
        assert 404 == (await operator(method, missing))[0]
    found = await pages(operator, "/admin/jobs?")
    assert ["cancelled", "running", "running"] == [one["state"] for one in found]


async def test_everybodys_subscriptions(operator, subscribe):
    """The operator sees all subscriptions, whose they are and how they fare, and no secret."""
    made = await subscribe()
    found = await pages(operator, "/admin/subscriptions?")
    assert {("config", configured_id(OWN)), ("caller:web", made["id"])} == {(one["owner"], one["id"]) for one in found}
    assert {"active"} == {one["state"] for one in found}
    assert "whsec" not in json.dumps(found)


async def test_one_subscription(operator, subscribe):
    """The operator sees each subscription as the list has it, whosever it is."""
    made = await subscribe()
    listed = {one["id"]: one for one in (await operator("GET", "/admin/subscriptions"))[1]["data"]}
    for key in (made["id"], configured_id(OWN)):
        status, one, _ = await operator("GET", f"/admin/subscriptions/{key}")
        assert (200, listed[key]) == (status, one)


@pytest.mark.parametrize(("method", "path"), [one for one in PATHS if "wh_1" in one[1]])
async def test_no_subscription(operator, method, path):
    """An id that is none is told as that."""
    status, body, _ = await operator(method, path)
    assert (404, "There is no subscription of this id.") == (status, body["error"]["message"])


async def test_consumers_of_the_configuration(operator, call, subscribe, dependencies, caplog):
    """The operator tests and enables the consumers of the configuration, and leaves those of callers to them."""
    key, theirs = configured_id(OWN), (await subscribe())["id"]
    status, probe, _ = await operator("POST", f"/admin/subscriptions/{key}/test")
    assert (202, "test", "pending") == (status, probe["trigger"], probe["state"])
    listed = (await operator("GET", f"/admin/deliveries?subscription={key}"))[1]["data"]
    assert [probe["id"]] == [one["id"] for one in listed]
    await dependencies.database.write(lambda opened: disable(opened, key, "gone"))
    assert "gone" == (await operator("GET", f"/admin/subscriptions/{key}"))[1]["reason"]
    assert 409 == (await operator("POST", f"/admin/subscriptions/{key}/test"))[0]
    with caplog.at_level(logging.INFO, "gateway"):
        status, enabled, _ = await operator("POST", f"/admin/subscriptions/{key}/enable")
    assert (200, True, "active", "config") == (status, enabled["active"], enabled["state"], enabled["owner"])
    assert 1 == sum(record.getMessage() == "admin.enabled" for record in caplog.records)
    await call("PATCH", f"/v1/webhooks/{theirs}", json={"active": False})
    for verb in ("test", "enable"):
        status, body, _ = await operator("POST", f"/admin/subscriptions/{theirs}/{verb}")
        assert (409, "INVALID_STATE") == (status, body["error"]["code"])
        assert "`/v1/webhooks`" in body["error"]["message"]
    assert not (await call("GET", f"/v1/webhooks/{theirs}"))[1]["active"]
