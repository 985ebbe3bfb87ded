"""Hooks on a real socket: what is taken, what is refused, and that a refusal changes nothing and tells nothing."""

import asyncio
import gzip
import json
import logging

import pytest

from gateway.surface.hooks import MOST_OF_ONE
from gateway.telemetry.lines import JsonLines
from gateway.values.secrets import Redactor
from tests.databases import sqlite_store
from tests.hooked import HASH, IN_PATH, SECRETS, TOKEN, batch, thin, told

CLUB = f"/hooks/club/events/{IN_PATH}"
DESK = "/hooks/desk/callback"
YARD = "/hooks/yard/signed"
NEW, SIGNATURE = batch(("b1", "new", {}))


async def test_a_message_with_its_events_and_deliveries(any_gate):
    """What a provider tells is stored with its event and a delivery before it is answered, as the mapping says: 204."""
    status, body, _ = await any_gate.post(CLUB, told())
    assert (204, b"") == (status, body)
    assert (1, 1, 1, 1) == await any_gate.rows()
    (event,) = await any_gate.told()
    assert ("booking.created", "provider_webhook", "bk_1") == (event["event"], event["origin"], event["data"]["id"])
    (receipt,) = await any_gate.receipts()
    assert ("mapped", 0, 0) == (receipt.state, receipt.repeats, receipt.conflicts)


async def test_a_thin_message(any_gate):
    """What a provider only names is fetched from it, and the event has what the provider shows."""
    any_gate.vendor.known[434] = "approved"
    status, body, headers = await any_gate.post(DESK, thin())
    assert (200, b"OK", "text/plain; charset=utf-8") == (status, body, headers["Content-Type"])
    (event,) = await any_gate.told()
    assert ("booking.created", f"434~{HASH}", "h8vc14ca") == (
        event["event"],
        event["data"]["id"],
        event["data"]["reference"],
    )
    assert (1, 1, 1, 1) == await any_gate.rows()


async def test_several_messages_in_one_body(any_gate):
    """Each message of a body is one, and the answer is the mapping's own."""
    body, headers = batch(("b1", "new", {}), ("b2", "new", {}), ("b2", "gone", {"rev": "r2"}), ("b3", "odd", {}))
    status, answer, _ = await any_gate.post(YARD, body, headers=headers, method="PUT")
    assert (200, {"taken": True}) == (status, json.loads(answer))
    assert [("b1", "created"), ("b2", "created"), ("b2", "cancelled")] == [
        (event["data"]["id"], event["event"].removeprefix("booking.")) for event in await any_gate.told()
    ]
    assert (4, 2, 3, 3) == await any_gate.rows()


REFUSED = {
    "no such connection": (f"/hooks/nobody/events/{IN_PATH}", told(), {}),
    "no such hook": (f"/hooks/club/changes/{IN_PATH}", told(), {}),
    "the name of a hook of another": (f"/hooks/yard/events/{IN_PATH}", told(), {}),
    "no token": ("/hooks/club/events", told(), {}),
    "another token": ("/hooks/club/events/another", told(), {}),
    "the token in the query": ("/hooks/club/events?token=" + IN_PATH, told(), {}),
    "half of the token": (CLUB[:-1], told(), {}),
    "no signature": (YARD, NEW, {"X-Delivery-Key": "d1"}),
    "a signature of other bytes": (YARD, NEW + b" ", SIGNATURE),
    "the signature of another source": (DESK, NEW, SIGNATURE),
    "an empty signature": (YARD, NEW, {"X-Signature": ""}),
    "a signature that is none": (YARD, NEW, {"X-Signature": "é" * 64}),
    "a body of nothing": (YARD, b"", SIGNATURE),
    "another company": (DESK, thin(company="another"), {}),
    "another hash": (DESK, thin(booking_hash="0" * 32), {}),
    "no such booking": (DESK, thin(9999), {}),
    "no hash": (
        DESK,
        json.dumps({"booking_id": "434", "company": "myclub", "notification_type": "create"}).encode(),
        {},
    ),
    "unproved and not UTF-8": (DESK, b'{"company": "\xff"}', {}),
    "unproved and too deep": (DESK, b"[" * 5000, {}),
    "unproved and empty": (DESK, b"", {}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused(gate, case):
    """What is not proved is answered 401 in the same words, stores nothing, and takes nobody's place (A4)."""
    gate.vendor.known[434] = "approved"
    path, body, headers = REFUSED[case]
    status, answer, sent = await gate.post(path, body, headers={"X-Request-Id": "r1"} | headers)
    stranger = await gate.post("/hooks/a/b/c", b"{}", headers={"X-Request-Id": "r1"})
    assert (401, stranger[1]) == (status, answer)
    ignored = {"Date"}
    assert {k: v for k, v in stranger[2].items() if k not in ignored} == {
        k: v for k, v in sent.items() if k not in ignored
    }
    assert (0, 0, 0, 0) == await gate.rows()
    assert 204 == (await gate.post(CLUB, told()))[0]
    assert 200 == (await gate.post(YARD, NEW, headers=SIGNATURE))[0]
    assert 200 == (await gate.post(DESK, thin()))[0]
    assert (3, 3, 3, 3) == await gate.rows()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_other_methods(gate, method):
    """A method that the hook does not have is refused like a hook that there is not."""
    assert 401 == (await gate.post(CLUB, told(), method=method))[0]
    assert 401 == (await gate.post("/hooks/nobody/events/x", told(), method=method))[0]
    assert (0, 0, 0, 0) == await gate.rows()


@pytest.mark.parametrize(
    ("path", "connection"), [(f"/hooks/club/{IN_PATH}", "club"), (f"/hooks/{IN_PATH}/events/x", "")]
)
async def test_a_path_without_a_hook(gate, caplog, path, connection):
    """The operator is told that a path names no hook, and of which connection; what stands in it is not repeated."""
    assert 401 == (await gate.post(path, told()))[0]
    (line,) = [one.fields for one in caplog.records if one.getMessage() == "hook.refused"]
    assert (connection, "", True) == (line["connection"], line["hook"], "names no hook" in line["reason"])
    assert IN_PATH not in str([vars(one) for one in caplog.records if one.name == "gateway"])


async def test_a_header_that_comes_twice(gate):
    """A signature that comes twice, the true one among them, proves nothing."""
    headers = [("X-Signature", SIGNATURE["X-Signature"]), ("X-Signature", "0" * 64), ("X-Delivery-Key", "d1")]
    async with gate.session.post(gate.url + YARD, data=NEW, headers=headers) as response:
        assert 401 == response.status
    assert (0, 0, 0, 0) == await gate.rows()


@pytest.mark.parametrize("path", [CLUB, "/hooks/nobody/events/x"])
@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (413, b" " * 65_537, {}),
        (415, gzip.compress(told()), {"Content-Encoding": "gzip"}),
        (415, told(), {"Content-Encoding": "GZIP, identity"}),
        (400, told(), {"Content-Length": "9999"}),
    ],
)
async def test_what_is_no_message_at_all(gate, path, status, body, headers):
    """What is too large, compressed or broken off is told so, be there such a hook or not, and is not stored."""
    if "Content-Length" in headers:
        reader, writer = await asyncio.open_connection(*gate.url.removeprefix("http://").split(":"))
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n".encode() + body)
        writer.write_eof()
        await reader.read()  # nobody is left to be answered
        writer.close()
    else:
        assert status == (await gate.post(path, body, headers=headers))[0]
    assert (0, 0, 0, 0) == await gate.rows()


async def test_identity_is_no_compression(gate):
    """A message that says that it is not compressed is taken."""
    assert 204 == (await gate.post(CLUB, told(), headers={"Content-Encoding": "identity"}))[0]


async def test_a_body_that_does_not_come(serve_gate, tmp_path):
    """A body that takes too long is given up, and holds nobody else up."""
    async with serve_gate(sqlite_store(tmp_path / "gateway.db"), timeout=0.3) as gate:
        reader, writer = await asyncio.open_connection(*gate.url.removeprefix("http://").split(":"))
        writer.write(f"POST {CLUB} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
        assert 204 == (await gate.post(CLUB, told()))[0]
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()


UNREADABLE = {
    "not UTF-8": b'{"event": "booking.created", "data": "\xff"}',
    "UTF-16": told().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + told(),
    "too deep": b'{"event":' + b"[" * 3000 + b"]" * 3000 + b"}",
    "a number too long": b'{"event": ' + b"9" * 5000 + b"}",
    "a key twice": b'{"event": "booking.created", "event": "booking.cancelled"}',
    "half a surrogate": told(key="\ud800"),
    "nothing": b"",
    "no object": b"[]",
    "a field of another type": told(duration="sixty"),
    "no time": told(at="tomorrow"),
    "no word": b'{"data": {}}',
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_proved_and_unreadable(gate, case):
    """What is proved and cannot be read is a dead letter, as it came, with its reason and its place in the mapping."""
    body = UNREADABLE[case]
    assert 204 == (await gate.post(CLUB, body))[0]
    assert 204 == (await gate.post(CLUB, body))[0]
    (letter,) = await gate.receipts()
    assert ("dead", 1, body) == (letter.state, letter.repeats, letter.request.partition(b"\n")[2])
    assert letter.origin.startswith("generic.yaml:") or "generic.yaml:" in letter.origin
    assert letter.reason
    assert (1, 0, 0, 0) == await gate.rows()
    assert 204 == (await gate.post(CLUB, told()))[0]
    assert 1 == len(await gate.told())


async def test_repeats(any_gate):
    """The same message again, one after the other and at the same time, is one event, and every one is answered 2xx."""
    first = await asyncio.gather(*(any_gate.post(CLUB, told()) for _ in range(20)))
    again = [await any_gate.post(CLUB, told()) for _ in range(3)]
    assert {204} == {status for status, *_ in [*first, *again]}
    assert (1, 1, 1, 1) == await any_gate.rows()
    assert [22] == [receipt.repeats for receipt in await any_gate.receipts()]


async def test_a_change_there_and_back_and_there_again(any_gate):
    """Where only content names a message, the second of the same words is compared with what is known, not dropped."""
    await any_gate.post(CLUB, told())
    there, back = "2031-05-06T12:00:00Z", "2031-05-06T10:00:00Z"
    for at in (there, there, back, there, there):
        assert 204 == (await any_gate.post(CLUB, told(event="booking.rescheduled", at=at)))[0]
    found = await any_gate.told()
    words = ["booking.created", *["booking.rescheduled"] * 3]
    starts = [f"2031-05-06T{hour}:00:00+02:00" for hour in ("12", "14", "12", "14")]
    assert [*zip(words, starts, strict=True)] == [(one["event"], one["data"]["start"]) for one in found]
    assert [0, 0, 3] == sorted(receipt.repeats for receipt in await any_gate.receipts())


async def test_a_fetched_change_there_and_back(any_gate):
    """So it is with what is only named: the object that is fetched is never older than what is known."""
    any_gate.vendor.known[434] = "approved"
    for kind in ("create", "cancel", "cancel", "change", "cancel"):
        assert 200 == (await any_gate.post(DESK, thin(kind=kind)))[0]
    words = ["created", "cancelled", "confirmed", "cancelled"]
    assert [f"booking.{word}" for word in words] == [one["event"] for one in await any_gate.told()]


async def test_two_replicas_take_the_same_message(serve_gate, store_url):
    """Two gateways on one store that get the same messages at the same time make one event of each."""
    async with serve_gate(store_url) as one, serve_gate(store_url, second=True) as two:
        posts = [gate.post(CLUB, told(f"bk_{number}")) for number in range(10) for gate in (one, two)]
        assert {204} == {status for status, *_ in await asyncio.gather(*posts)}
        assert (10, 10, 10, 10) == await one.rows()


async def test_the_same_name_and_another_body(any_gate):
    """F19: of two messages of one name the first stays; the second is answered 2xx and counted as a conflict."""
    await any_gate.post(CLUB, told())
    assert 204 == (await any_gate.post(CLUB, told(duration=90)))[0]
    assert (1, 1, 1, 1) == await any_gate.rows()
    (receipt,) = await any_gate.receipts()
    assert (0, 1) == (receipt.repeats, receipt.conflicts)
    (event,) = await any_gate.told()
    assert 60 == event["data"]["duration"]


async def test_what_means_nothing_is_taken(any_gate):
    """A message that the mapping ignores is answered 2xx, kept as ignored and tells nothing."""
    assert 204 == (await any_gate.post(CLUB, told(event="reminder.sent")))[0]
    assert 200 == (await any_gate.post(DESK, thin(kind="notify")))[0]
    assert ["ignored", "ignored"] == [receipt.state for receipt in await any_gate.receipts()]
    assert (2, 0, 0, 0) == await any_gate.rows()
    assert [] == any_gate.vendor.asked


@pytest.mark.parametrize("answer", [(500, {}), (200, {"error": {"code": -32603, "message": "Internal error"}})])
async def test_a_fetch_that_fails(any_gate, answer):
    """What cannot be fetched now is answered 503 with Retry-After and not kept; the same message later is taken."""
    any_gate.vendor.known[434] = "approved"
    any_gate.vendor.answer = answer
    status, _, headers = await any_gate.post(DESK, thin())
    assert 503 == status
    assert 0 < int(headers["Retry-After"])
    assert (0, 0, 0, 0) == await any_gate.rows()
    any_gate.vendor.answer = None
    assert 200 == (await any_gate.post(DESK, thin()))[0]
    assert (1, 1, 1, 1) == await any_gate.rows()


async def test_a_flood(gate):
    """Of one connection only so many messages are under way: the next shall come again, and others are not kept out."""
    opened = []
    for _ in range(MOST_OF_ONE):
        reader, writer = await asyncio.open_connection(*gate.url.removeprefix("http://").split(":"))
        writer.write(f"POST {CLUB} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
        opened.append((reader, writer))
    await asyncio.sleep(0.2)
    status, _, headers = await gate.post(CLUB, told())
    assert (429, "1") == (status, headers["Retry-After"])
    assert 200 == (await gate.post(YARD, NEW, headers=SIGNATURE))[0]
    for _, writer in opened:
        writer.close()
    async with asyncio.timeout(5):
        while status != 204:
            status, *_ = await gate.post(CLUB, told())


async def test_what_stands_before_the_body_is_looked_at_first(gate):
    """A wrong token and a missing signature are refused before the body has come, and hold no genuine message up."""
    for path in ("/hooks/club/events/WRONG", YARD, "/hooks/nobody/events/x"):
        for _ in range(MOST_OF_ONE + 8):
            reader, writer = await _dripping(gate, path)
            async with asyncio.timeout(5):
                assert (await reader.readline()).startswith(b"HTTP/1.1 401"), path
            writer.close()
    assert (204, 200) == ((await gate.post(CLUB, told()))[0], (await gate.post(YARD, NEW, headers=SIGNATURE))[0])


async def test_slow_senders_give_way(gate):
    """Of senders whom only a body can prove, the slowest of an address gives way: who sends at once always passes."""
    slow = [await _dripping(gate, YARD, f"X-Signature: {'0' * 64}\r\n") for _ in range(MOST_OF_ONE + 8)]
    async with asyncio.timeout(5):
        assert (await slow[7][0].readline()).startswith(b"HTTP/1.1 429")
    assert 200 == (await gate.post(YARD, NEW, headers=SIGNATURE))[0]
    assert 204 == (await gate.post(CLUB, told()))[0]
    for _, writer in slow:
        writer.close()


async def _dripping(gate, path, headers=""):
    """Open a message of which one byte has come."""
    reader, writer = await asyncio.open_connection(*gate.url.removeprefix("http://").split(":"))
    writer.write(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n{headers}\r\n{{".encode())
    await writer.drain()
    return reader, writer


async def test_secrets_stay_where_they_are(serve_gate, tmp_path, caplog):
    """Whatever comes, no token, key or signature stands in the log, in an answer, or in a byte of the store's files."""
    caplog.set_level(logging.DEBUG)
    async with serve_gate(sqlite_store(tmp_path / "gateway.db")) as gate:
        gate.vendor.known[434] = "approved"
        answers = []
        for path, body, headers in [
            *REFUSED.values(),
            (CLUB, told(), {"Authorization": f"Bearer {TOKEN}", "X-Note": TOKEN, "Cookie": TOKEN}),
            (CLUB + f"?again={IN_PATH}", told("bk_2"), {}),
            (CLUB, b"\xff", {"Referer": gate.url + CLUB}),
            (YARD, NEW, SIGNATURE),
            (DESK, thin(), {}),
        ]:
            answers.append(await gate.post(path, body, headers=headers))
    files = b"".join(path.read_bytes() for path in tmp_path.glob("gateway.db*"))
    formatter = JsonLines(Redactor(()))
    log = "\n".join(formatter.format(record) for record in caplog.records)
    shown = b"".join(body + repr(dict(headers)).encode() for _, body, headers in answers)
    assert "hook.received" in log
    assert "hook.refused" in log
    assert b"bk_2" in files
    for secret in [TOKEN, IN_PATH, SIGNATURE["X-Signature"], *(one.reveal() for one in SECRETS.values())]:
        assert secret not in log
        assert secret.encode() not in files
        assert secret.encode() not in shown
