"""Pages of a list: each is asked for as the one before says, all rows are joined, and nothing is cut off unseen."""

import json

import pytest

from gateway.values.errors import AnswerMismatch, GatewayError, ProviderUnavailable
from gateway.values.messages import Call

BASE = "https://api.example"


def rows(*ids):
    """Rows of places."""
    return [{"id": one, "name": str(one)} for one in ids]


def listed(pages, call="get: /places"):
    """A mapping that lists places by these pages, and finds one among them."""
    return f"""
operations:
  locations.list: {{call: {{{call}, pages: {pages}}}, result: {{rows: data, record: place}}}}
  locations.get: {{result: {{find: locations.list}}}}
"""


def ids(reply):
    """The ids of a list."""
    return [one["id"] for one in reply.data]


NEXT = listed("{rows: data, next: links.next, most: 3}", "get: /places, query: {open: '1'}")
LINK = listed("{rows: data, next: {link: next}}")
TOKEN = listed("{rows: data, token: cursor, send: {query: {cursor: '{{ token }}'}}}", "get: /places, query: {n: 2}")


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        (f"{BASE}/places?open=1&page=2&tag=a&tag=b%26c", "/places?open=1&page=2&tag=a&tag=b&c"),
        ("https://API.example:443/more/b%2F2", "/more/b%2F2"),
        ("/other?x=", "/other?x="),
        ("?page=2", "/places?page=2"),
        ("//api.example/p#top", "/p"),
    ],
)
async def test_next(club, told, sent):
    """The address that a page names is asked as it is, whatever the call says of its query, at the same origin."""
    made = club(NEXT, {"data": rows(1), "links": {"next": told}}, {"data": rows(2, 3), "links": {"next": None}})
    assert ["1", "2", "3"] == ids(await made.run("locations.list"))
    assert ["GET /places?open=1", f"GET {sent}"] == made.sent
    assert 1 == len({dict(one.headers)["X-Key"] for one in made.requests})


@pytest.mark.parametrize(
    "told",
    [
        "https://evil.example/places?page=2",
        "http://api.example/places",
        "https://api.example:8443/places",
        "https://u:p@api.example/places",
        "https://api.example:x/places",
        "//evil.example",
        "https://api.example.evil.example/",
        "file:///etc/passwd",
        7,
        {"href": "/places"},
        "?x=%ff",
    ],
)
async def test_an_address_elsewhere(club, told):
    """A page at another origin, or at no address at all, is PROVIDER_ERROR, and nothing is sent there."""
    made = club(NEXT, {"data": rows(1), "links": {"next": told}})
    with pytest.raises(AnswerMismatch) as failed:
        await made.run("locations.list")
    assert 1 == len(made.requests)
    assert "evil" not in failed.value.detail


async def test_link_header(club, answered):
    """The Link header of each answer names the next page, by its relation alone."""
    more = answered({"data": rows(1)}, link='</places>; rel="first", </places?page=2>; rel="last Next"')
    made = club(LINK, more, answered({"data": rows(2)}, link="</places>; rel=first"))
    assert ["1", "2"] == ids(await made.run("locations.list"))
    made = club(LINK, answered({"data": rows(1)}, link="/places?page=2"))
    with pytest.raises(AnswerMismatch, match="Link header"):
        await made.run("locations.list")


async def test_token(club):
    """A token is sent beside what the call sends, and what is no token ends the list."""
    for end in ("", None, False):
        made = club(
            TOKEN, {"data": rows(1), "cursor": "a b"}, {"data": [], "cursor": 7}, {"data": rows(2), "cursor": end}
        )
        assert ["1", "2"] == ids(await made.run("locations.list"))
        assert ["GET /places?n=2", "GET /places?n=2&cursor=a b", "GET /places?n=2&cursor=7"] == made.sent


@pytest.mark.parametrize(
    ("call", "send", "bodies"),
    [
        ("post: /p, json: {a: 1, c: x}", "json: {c: '{{ token }}'}", [b'{"a":1,"c":"x"}', b'{"a":1,"c":"t"}']),
        ("post: /p, form: {a: b}", "form: {c: '{{ token }}'}", [b"a=b", b"a=b&c=t"]),
    ],
)
async def test_token_in_a_body(club, call, send, bodies):
    """What asks for a page is laid over the body, member by member, from the second page on."""
    made = club(listed(f"{{rows: data, token: t, send: {{{send}}}}}", call), {"data": [], "t": "t"}, {"data": []})
    await made.run("locations.list")
    assert bodies == [one.body for one in made.requests]


async def test_json_rpc(club):
    """Params by name are laid over those of the call, a list stands instead of it; each page has an id of its own."""
    for given, sent in (("{a: 1}", {"a": 1, "p": 2}), ("[1, 0]", [1, 2])):
        send = "{p: '{{ number }}'}" if given[0] == "{" else "[1, '{{ number }}']"
        pages = (
            f"{{rows: result.data, number: {{from: 2}}, send: {{params: {send}}}, until: 'length(result.data) < `1`'}}"
        )
        made = club(
            "native:\n  all: {safe: true, result: {at: result.data},"
            f" call: {{jsonrpc: {{method: list, params: {given}}}, pages: {pages}}}}}"
        )

        async def answers(request):
            asked = json.loads(request.body)
            at = asked["params"]["p"] if isinstance(asked["params"], dict) else asked["params"][1]
            return {"jsonrpc": "2.0", "id": asked["id"], "result": {"data": [at] if at < 4 else []}}

        made.answers = answers
        assert [2, 3] == (await made.run("native.all")).data
        assert sent == json.loads(made.requests[0].body)["params"]
        assert 3 == len({json.loads(one.body)["id"] for one in made.requests})


async def test_numbers_and_offsets(club):
    """Numbers count pages and offsets count rows, from the first page on, until the condition holds."""
    pages = "{rows: data, number: {}, send: {query: {p: '{{ number }}'}}, until: 'length(data) < `2`'}"
    made = club(listed(pages), {"data": rows(1, 2)}, {"data": rows(3)})
    assert ["1", "2", "3"] == ids(await made.run("locations.list"))
    assert ["GET /places?p=1", "GET /places?p=2"] == made.sent
    until = "{{ offset + length(body.data) >= body.total }}"
    pages = f"{{rows: data, offset: {{}}, send: {{query: {{s: '{{{{ offset }}}}'}}}}, until: '{until}'}}"
    made = club(listed(pages), {"data": rows(1, 2), "total": 3}, {"data": rows(3), "total": 3})
    assert ["1", "2", "3"] == ids(await made.run("locations.list"))
    assert ["GET /places?s=0", "GET /places?s=2"] == made.sent
    made = club(listed(pages), {"data": [], "total": 3})
    with pytest.raises(AnswerMismatch, match="named twice"):
        await made.run("locations.list")


async def test_the_last_page_is_told_apart(club):
    """With `until` a page may be the last although it has a token, and the value is that of the last page."""
    pages = "{rows: a.data, token: t, until: '!more', send: {query: {t: '{{ token }}'}}}"
    made = club(
        f"native:\n  all: {{safe: true, call: {{get: /a, pages: {pages}}}}}",
        {"a": {"data": [1], "n": 1}, "t": "x", "more": True},
        {"a": {"data": [2], "n": 2}, "t": "y", "more": False},
    )
    assert {"a": {"data": [1, 2], "n": 2}, "t": "y", "more": False} == (await made.run("native.all")).data


async def test_a_whole_answer(club, answered):
    """With `whole: true` the joined body stands beside the status and headers of the last page."""
    made = club(
        "native:\n  all: {safe: true, call: {get: /a, whole: true, pages: {rows: '@', next: {link: next}}}}",
        answered([1], link="<?p=2>; rel=next", etag="a"),
        answered([2], etag="b"),
    )
    reply = await made.run("native.all")
    assert (200, "b", [1, 2]) == (reply.data["status"], reply.data["headers"]["etag"], reply.data["body"])


@pytest.mark.parametrize(
    ("fragment", "answers"),
    [
        (NEXT, [{"data": [], "links": {"next": "?a=1"}}] * 2),
        (NEXT, [{"data": [], "links": {"next": f"?p={at}"}} for at in (1, 2, 1)]),
        (TOKEN, [{"data": [], "cursor": "a"}, {"data": [], "cursor": "b"}, {"data": [], "cursor": "a"}]),
    ],
)
async def test_the_same_page_twice(club, fragment, answers):
    """An address or token that comes again is PROVIDER_ERROR, not an endless list and not all of it."""
    made = club(fragment, *answers)
    with pytest.raises(AnswerMismatch):
        await made.run("locations.list")
    assert [] == made.answers


async def test_too_many_pages(club):
    """A list that goes on beyond `most:` is an error, also for a caller who would take a part of it."""
    made = club(NEXT, *[{"data": rows(at), "links": {"next": f"?p={at}"}} for at in range(4)])
    with pytest.raises(AnswerMismatch, match="beyond 3 pages"):
        await made.engine.run(Call("club", "locations.list", {}, "r1", 2000.0, partial=True, parted=True))
    assert 3 == len(made.requests)


async def test_a_page_that_fails(club, answered):
    """A page that is refused, has no list, or does not come fails the list: there is no half of it."""
    first = {"data": rows(1), "links": {"next": "?p=2"}}
    for second in (answered({"code": "x"}, 400), {"rows": []}, ProviderUnavailable("gone", sent=True)):
        made = club(NEXT, first, *[second] * 9)
        with pytest.raises(GatewayError):
            await made.run("locations.list")


async def test_time_of_the_call(club):
    """All pages share the time of the call: when it is used up, no further page is asked for."""
    made = club(NEXT)

    async def answers(_request):
        made.time += 20
        return {"data": rows(1), "links": {"next": f"?p={made.time}"}}

    made.answers = answers
    with pytest.raises(ProviderUnavailable):
        await made.run("locations.list", seconds=25.0)
    assert 2 == len(made.requests)


async def test_rows_on_two_pages(club):
    """A row that moved on while pages were read is given once; what is found on a later page is found."""
    made = club(TOKEN, {"data": rows(1, 2), "cursor": "a"}, {"data": rows(2, 3)})
    assert ["1", "2", "3"] == ids(await made.run("locations.list"))
    made = club(TOKEN, {"data": rows(1), "cursor": "a"}, {"data": rows(2)})
    assert "2" == (await made.run("locations.get", id="2")).data["name"]


async def test_trace(club):
    """A trace has each page as an exchange of its own."""
    made = club(TOKEN, {"data": rows(1), "cursor": "a"}, {"data": rows(2)})
    await made.run("locations.list")
    assert 2 == len(made.trace.exchanges)


async def test_a_key_in_the_query(gateway):
    """A key that the scheme sends in the query goes once with each page, also where its address has it already."""
    made = gateway(
        "auth: {query: {key: '{{ settings.key }}'}}\n"
        "native:\n  all: {safe: true, call: {get: /a, pages: {rows: data, next: next}}}",
        {"data": [1], "next": "?key=stale&p=2"},
        {"data": [2], "next": None},
    )
    await made.run("native.all")
    assert [["key"], ["p", "key"]] == [[name for name, _ in one.query] for one in made.requests]
    assert made.requests[0].query[-1] == made.requests[1].query[-1]


async def test_windows_and_elements(club):
    """Each window of a list, and each element of a fan-out, has pages of its own."""
    made = club("""
operations:
  bookings.list:
    window: {max_days: 1, default_days: 2}
    unsupported: {service_id: no, resource_id: no, customer_id: no, email: no, updated_since: no}
    call: {get: /b, query: {day: "{{ window.first_date }}"}, pages: {rows: data, next: next}}
    result: {rows: data, record: booking}
native:
  each:
    safe: true
    steps:
      - name: all
        for_each: {in: "{{ ['a', 'b'] }}", as: one, concurrency: 1}
        call: {get: "/{{ one }}", pages: {rows: data, next: next}}
    result: {at: "all[].body.data[]"}
""")

    async def answers(request):
        last = any(name == "page" for name, _ in request.query)
        row = {"id": f"{request.url[-1]}{len(made.requests)}", "court": "1", "start": "2026-03-02 10:00"}
        return {"data": [{**row, "end": "2026-03-02 11:00"}], "next": None if last else "?page=2"}

    made.answers = answers
    assert ["a1", "a2", "b3", "b4"] == [one["id"] for one in (await made.run("native.each")).data]
    made.requests.clear()
    await made.run("bookings.list")
    assert [1, 1] == [sum("page=2" in one for one in made.sent[at : at + 2]) for at in (0, 2)]
