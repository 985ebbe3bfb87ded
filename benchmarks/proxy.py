"""The two hand-written proxies in front of the vendor: `python -m benchmarks.proxy {bare,dutiful} PORT VENDOR FOLDER`.

*bare* gives the gateway's answers and does nothing else. *dutiful* does besides what nobody should leave out: it asks
for the caller's key, reads strict JSON, holds the vendor to the types that are promised, gives each request an id and
a time, writes a line of log for it, and keeps intents, answers and events in a store.
"""

import asyncio
import gc
import hashlib
import hmac
import json
import sys
import time
from uuid import uuid4

import aiohttp
import orjson
import uvloop
from aiohttp import web

from benchmarks import byhand, data
from benchmarks.store import Store

_HEADERS = {
    "Gateway-Support": "native",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Server": "by-hand",
}
_JSON = "application/json"
_KEY = {"X-Api-Key": data.KEY}


class Bare:
    """The same bytes, and no more."""

    def __init__(self, vendor, folder):
        self.vendor = vendor
        self.folder = folder
        self.session = None
        self.sequence = 0

    def routes(self):
        """Give what it answers."""
        return [
            web.get("/v1/club/bookings/{id}", self.handler(self.one)),
            web.get("/v1/club/bookings", self.handler(self.bookings)),
            web.get("/v1/club/slots", self.handler(self.slots)),
            web.post("/v1/club/bookings", self.handler(self.create)),
            web.post("/hooks/hooked/events", self.hook),
            web.get("/ready", self.ready),
        ]

    def handler(self, work):
        """Give the handler of what callers ask."""
        return work

    def decode(self, body):
        """Read JSON."""
        return orjson.loads(body)

    async def start(self, _app):
        """Open the way to the vendor."""
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None))

    async def stop(self, _app):
        """Close it."""
        await self.session.close()

    async def ready(self, _request):
        """Say that requests are taken."""
        return web.Response()

    async def rows(self, path, query=None):
        """Ask the vendor."""
        async with self.session.get(self.vendor + path, params=query, headers=_KEY) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise web.HTTPBadGateway
        return self.decode(body)["data"]

    async def one(self, request):
        """Answer with one booking."""
        row = await self.rows(byhand.path_of_booking(request.match_info["id"]))
        return web.Response(body=orjson.dumps(self.booking(row)), content_type=_JSON, headers=_HEADERS)

    def booking(self, row):
        """Read a booking."""
        return byhand.booking(row)

    def slot(self, row):
        """Read a slot."""
        return byhand.slot(row)

    async def bookings(self, request):
        """Answer with a page of bookings."""
        query = request.query
        asked = {"from": query["from"], "to": query["to"]}
        begin, end = byhand.epoch(query["from"]), byhand.epoch(query["to"])
        rows = await self.rows("/bookings", asked)
        rows = [row for row in rows if begin <= byhand.instant(row["from"])[1] < end]
        return self.page(request, rows, ("from", lambda row: row["id"]), self.booking)

    async def slots(self, request):
        """Answer with a page of slots."""
        query = request.query
        asked = {"from": byhand.local(query["from"]), "to": byhand.local(query["to"])}
        rows = await self.rows("/slots", asked)
        rows = byhand.free_slots(rows, byhand.epoch(query["from"]), byhand.epoch(query["to"]))
        return self.page(request, rows, ("s", byhand.slot_id), self.slot)

    def page(self, request, rows, order, read):
        """Answer with the first page of what was found."""
        limit = int(request.query.get("limit", 50))
        shown = [read(row) for row in byhand.ordered(rows, limit, *order)]
        query = hashlib.sha256(request.query_string.encode()).hexdigest()[:16]
        return web.Response(body=byhand.page(shown, len(rows), limit, query), content_type=_JSON, headers=_HEADERS)

    async def create(self, request):
        """Book."""
        return await self.booked(self.decode(await request.read()))

    async def booked(self, args):
        """Send what is to be booked to the vendor and answer with what became of it."""
        _, path, headers, body = byhand.request_of_create(args)
        async with self.session.post(self.vendor + path, data=body, headers=dict(headers)) as answer:
            told = await answer.read()
            if answer.status != 201:
                raise web.HTTPBadGateway
        made = self.booking(self.decode(told)["data"])
        headers = {**_HEADERS, "Location": f"/v1/club/bookings/{made['id']}"}
        return web.Response(status=201, body=orjson.dumps(made), content_type=_JSON, headers=headers)

    async def hook(self, request):
        """Take a webhook, and tell the subscriber."""
        body = await request.read()
        if not byhand.is_signed(body, request.headers["X-Signature"]):
            raise web.HTTPUnauthorized
        ident, name, found = byhand.told(body)
        self.sequence += 1
        await self.deliver(ident, byhand.event(ident, name, found, self.sequence, _now()))
        return web.Response(status=204)

    async def deliver(self, ident, body):
        """Post an event to the subscriber."""
        headers = {"Content-Type": _JSON, **byhand.signed(ident, int(time.time()), body)}
        async with self.session.post(self.vendor + "/told", data=body, headers=headers) as answer:
            await answer.read()
            return answer.status == 204


class Dutiful(Bare):
    """The same bytes, with what nobody should leave out."""

    async def start(self, _app):
        """Open the way to the vendor, with its time, and the store."""
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self.store = Store(self.folder + "/by-hand.db")
        self.sending = asyncio.create_task(self.send())
        self.outbox = asyncio.Queue()

    async def stop(self, app):
        """Close it."""
        self.sending.cancel()
        await super().stop(app)

    def handler(self, work):
        """Ask for the key, give an id, keep the time and write a line."""
        wanted = b"Bearer " + data.CALLER.encode()
        loop_time, write, flush = time.monotonic, sys.stdout.write, sys.stdout.flush

        async def handled(request):
            begun, ident = loop_time(), request.headers.get("X-Request-Id") or uuid4().hex
            if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
                raise web.HTTPUnauthorized
            async with asyncio.timeout(240):
                response = await work(request)
            response.headers["X-Request-Id"] = ident
            line = {
                "time": _now(),
                "level": "info",
                "event": "call.done",
                "request": ident,
                "caller": "web",
                "method": request.method,
                "path": request.path,
                "status": response.status,
                "seconds": round(loop_time() - begun, 4),
            }
            write(orjson.dumps(line).decode() + "\n")
            flush()
            return response

        return handled

    def decode(self, body):
        """Read strict JSON: where a key comes twice, quotes are missing when it is written again."""
        if b"\\" in body:
            return json.loads(body, object_pairs_hook=_once)
        value = orjson.loads(body)
        if orjson.dumps(value).count(b'"') != body.count(b'"'):
            raise web.HTTPBadGateway
        return value

    def booking(self, row):
        """Read a booking that has the types it should have."""
        found = byhand.booking(row)
        customer = found["customer"]
        texts = (found["id"], found["reference"], found["service_id"], found["resource_id"], found["location_id"])
        more = (found["title"], found["notes"], customer["id"], customer["name"], customer["email"], customer["phone"])
        for one in texts + more:
            if type(one) is not str:
                raise web.HTTPBadGateway
        if type(found["quantity"]) is not int or found["quantity"] < 1 or found["start"] >= found["end"]:
            raise web.HTTPBadGateway
        return found

    def slot(self, row):
        """Read a slot that has the types it should have."""
        found = byhand.slot(row)
        if type(found["resource_id"]) is not str or type(found["available"]) is not bool:
            raise web.HTTPBadGateway
        if found["start"] >= found["end"]:
            raise web.HTTPBadGateway
        return found

    async def create(self, request):
        """Book once for each Idempotency-Key, whatever happens meanwhile."""
        body, key = await request.read(), request.headers["Idempotency-Key"]
        args, digest = self.decode(body), hashlib.sha256(body).hexdigest()
        kept = await self.store.run(lambda database: _intend(database, key, digest))
        if kept is not None:
            if kept[0] != digest or kept[1] is None:
                raise web.HTTPConflict
            return web.Response(status=kept[1], body=kept[2], content_type=_JSON, headers=_HEADERS)
        response = await self.booked(args)
        made, ident = response.body, uuid4().hex
        await self.store.run(lambda database: _made(database, key, made, ident))
        return response

    async def hook(self, request):
        """Take a webhook once, and tell the subscriber of it when it is stored."""
        body = await request.read()
        if not byhand.is_signed(body, request.headers.get("X-Signature", "")):
            raise web.HTTPUnauthorized
        self.decode(body)
        name, kind, found = byhand.told(body)
        stored = await self.store.run(lambda database: _receive(database, name, kind, found))
        if stored is not None:
            self.outbox.put_nowait(stored)
        return web.Response(status=204)

    async def send(self):
        """Deliver what is stored, at most 32 at a time."""
        places = asyncio.Semaphore(32)
        async with asyncio.TaskGroup() as tasks:
            while True:
                sequence, ident, body = await self.outbox.get()
                await places.acquire()
                tasks.create_task(self.sent(places, sequence, ident, body))

    async def sent(self, places, sequence, ident, body):
        """Deliver an event and write down that it is delivered."""
        try:
            if await self.deliver(ident, body):
                await self.store.run(
                    lambda database: database.execute("UPDATE events SET delivered = 1 WHERE sequence = ?", (sequence,))
                )
        finally:
            places.release()


def _once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise web.HTTPBadGateway
    return found


def _now():
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"


def _intend(database, key, digest):
    """Write down that something is about to be sent, or give what is known of that key."""
    found = database.execute("SELECT digest, status, answer FROM intents WHERE key = ?", (key,)).fetchone()
    if found is None:
        database.execute("INSERT INTO intents (key, digest) VALUES (?, ?)", (key, digest))
    return found


def _made(database, key, answer, ident):
    database.execute("UPDATE intents SET status = 201, answer = ? WHERE key = ?", (answer, key))
    database.execute("INSERT INTO events (id, body, delivered) VALUES (?, ?, 1)", (ident, answer))


def _receive(database, name, kind, found):
    """Store the event of a message that is new; gives its number, its id and its bytes."""
    if not database.execute("INSERT OR IGNORE INTO received (id) VALUES (?)", (name,)).rowcount:
        return None
    ident = "evt_" + uuid4().hex
    sequence = database.execute("INSERT INTO events (id, body, delivered) VALUES (?, '', 0)", (ident,)).lastrowid
    body = byhand.event(ident, kind, found, sequence, _now()[:-5] + "Z")
    database.execute("UPDATE events SET body = ? WHERE sequence = ?", (body, sequence))
    return sequence, ident, body


async def serve(kind, port, vendor, folder):
    """Listen until the process is ended."""
    proxy = {"bare": Bare, "dutiful": Dutiful}[kind](vendor, folder)
    app = web.Application()
    app.on_startup.append(proxy.start)
    app.on_cleanup.append(proxy.stop)
    app.add_routes(proxy.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
