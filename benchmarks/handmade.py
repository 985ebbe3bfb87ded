"""The hand-written side of what is measured in one process, task by task as in `house`."""

import hashlib
import hmac
from json import loads

import orjson

from benchmarks import byhand, data

_BEGIN, _END = byhand.epoch(data.FROM), byhand.epoch(data.TO)


def one():
    """Read the vendor's answer with one booking."""
    answer = data.one()
    return lambda: orjson.dumps(byhand.booking(orjson.loads(answer)["data"]))


def bookings(number):
    """Read the vendor's answer with so many bookings."""
    answer = data.bookings(number)

    def read():
        rows = orjson.loads(answer)["data"]
        return orjson.dumps([byhand.booking(row) for row in rows if _BEGIN <= byhand.instant(row["from"])[1] < _END])

    return read


def slots(number):
    """Read the vendor's answer with so many slots."""
    answer = data.slots(number)

    def read():
        rows = byhand.free_slots(orjson.loads(answer)["data"], _BEGIN, _END)
        return orjson.dumps([byhand.slot(row) for row in rows])

    return read


def create():
    """Make a booking: what the vendor is sent, and what the caller is given."""
    answer, wish = data.body(data.details(1, ref="w1")), data.wish(1)

    def made():
        *_, body = byhand.request_of_create(wish)
        return body + b"\n" + orjson.dumps(byhand.booking(orjson.loads(answer)["data"]))

    return made


def request():
    """Build the request of a booking."""
    wish = data.wish(1)

    def built():
        method, path, _, body = byhand.request_of_create(wish)
        return b"\n".join([method.encode(), path.encode(), body])

    return built


def _signed():
    body = data.message(1)
    return body, "sha256=" + hmac.digest(data.HOOK_SECRET.encode(), body, hashlib.sha256).hex()


def verified():
    """Verify a webhook, and one that is forged."""
    body, signature = _signed()
    forged = body + b" "
    return lambda: repr([byhand.is_signed(one, signature) for one in (body, forged)]).encode()


def hook():
    """Verify and read a webhook."""
    body, signature = _signed()

    def told():
        if not byhand.is_signed(body, signature):
            raise ValueError
        ident, name, found = byhand.told(body)
        return f'["{ident}"] {name} '.encode() + orjson.dumps(found)

    return told


def reads(provider):
    """Decode the answers of a recorded provider and write what is made of them: less than that nobody can do."""
    from benchmarks.house import recorded  # noqa: PLC0415 - of this task alone the recordings are the gateway's

    answers, gives = recorded(provider)
    decoded = [loads(one) for one in gives]

    def floor():
        for answer in answers:
            try:
                orjson.loads(answer)
            except orjson.JSONDecodeError:
                answer.decode()  # a feed, or no body
        return b"\n".join([orjson.dumps(one) for one in decoded])

    return floor


TASKS = {
    "one": one,
    "bookings": bookings,
    "slots": slots,
    "create": create,
    "request": request,
    "verify": verified,
    "hook": hook,
    "reads": reads,
}


def runner(task, *given):
    """Give a function that does a task so many times and gives the bytes of the last."""
    work = TASKS[task](*given)

    def often(times):
        found = b""
        for _ in range(times):
            found = work()
        return found

    return often
