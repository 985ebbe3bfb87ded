"""The same bookings made with libraries that describe mappings: jmespath and jinja2 field by field, glom, and JSONata.

Each is written as its users would write it: paths and templates compiled once, times and prices by a function in Python
that is handed in. They do not check kinds, tell places of errors or work in both directions.
"""

import orjson

from benchmarks import byhand, data

_STATES = {"open": "pending", "booked": "confirmed", "gone": "cancelled"}
_PAID = {True: "paid", False: "unpaid"}
_PLAIN = {
    "id": "id",
    "reference": "code",
    "service_id": "service.id",
    "resource_id": "court.id",
    "location_id": "court.site",
    "quantity": "places",
    "customer.id": "customer.id",
    "customer.name": "customer.name",
    "customer.email": "customer.mail",
    "customer.phone": "customer.phone",
    "title": "title",
    "notes": "remarks",
}
"""Where the fields are that are taken as they are."""
_ITEM = ("service_id", "resource_id", "start", "end", "quantity")


def _time(text):
    return byhand.instant(text)[0]


def _ordered(found):
    """Put the fields of a booking in the contract's order."""
    return {
        **{name: found[name] for name in ("id", "reference", "status", "service_id", "resource_id", "location_id")},
        **{name: found[name] for name in ("start", "end")},
        "time_zone": data.ZONE,
        "all_day": False,
        "quantity": found["quantity"],
        "items": [{name: found[name] for name in _ITEM}],
        "customer": {name: found[f"customer.{name}"] for name in ("id", "name", "email", "phone")},
        **{name: found[name] for name in ("title", "notes")},
        "price": {"amount": int(found["price"]), "currency": data.CURRENCY},
        "payment_status": found["payment_status"],
        "created_at": found["created_at"],
        "source": "vendor",
    }


def templates():
    """Give the reader of a booking made of a JMESPath for each field and a Jinja template for each that is computed."""
    import jinja2  # noqa: PLC0415 - a side is measured without the libraries of the others
    import jmespath  # noqa: PLC0415

    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined)
    environment.filters |= {"time": _time, "cents": byhand.cents}
    environment.globals |= {"states": _STATES, "paid": _PAID}
    paths = {name: jmespath.compile(path) for name, path in _PLAIN.items()}
    computed = {
        "status": "{{ states[row.state] }}",
        "start": "{{ row.from | time }}",
        "end": "{{ row.to | time }}",
        "price": "{{ row.total | cents }}",
        "payment_status": "{{ paid[row.paid] }}",
        "created_at": "{{ row.made | time }}",
    }
    made = {name: environment.from_string(text) for name, text in computed.items()}

    def read(row):
        found = {name: path.search(row) for name, path in paths.items()}
        return _ordered(found | {name: template.render(row=row) for name, template in made.items()})

    return read


def glom():
    """Give the reader of a booking as one glom spec."""
    from glom import Spec  # noqa: PLC0415

    spec = Spec(
        {
            **_PLAIN,
            "status": ("state", _STATES.__getitem__),
            "start": ("from", _time),
            "end": ("to", _time),
            "price": ("total", byhand.cents),
            "payment_status": ("paid", _PAID.__getitem__),
            "created_at": ("made", _time),
        }
    )
    return lambda row: _ordered(spec.glom(row))


def jsonata():
    """Give the reader of a booking as one JSONata expression."""
    from jsonata import Jsonata  # noqa: PLC0415

    plain = ", ".join(f'"{name}": {path}' for name, path in _PLAIN.items())
    expression = Jsonata(
        f'{{{plain}, "status": $lookup($states, state), "start": $time(from), "end": $time(to), '
        '"price": $cents(total), "payment_status": paid ? "paid" : "unpaid", "created_at": $time(made)}'
    )
    expression.assign("states", _STATES)
    expression.register_lambda("time", _time)
    expression.register_lambda("cents", byhand.cents)
    return lambda row: _ordered(expression.evaluate(row))


READERS = {"jmespath + jinja2": templates, "glom": glom, "JSONata": jsonata}


def runner(library, task, *given):
    """Give a function that reads the vendor's answer so many times and gives the bytes of the last."""
    read = READERS[library]()
    begin, end = byhand.epoch(data.FROM), byhand.epoch(data.TO)
    answer = data.one() if task == "one" else data.bookings(*given)

    def once():
        rows = orjson.loads(answer)["data"]
        if task == "one":
            return orjson.dumps(read(rows))
        return orjson.dumps([read(row) for row in rows if begin <= byhand.instant(row["from"])[1] < end])

    def often(times):
        found = b""
        for _ in range(times):
            found = once()
        return found

    return often
