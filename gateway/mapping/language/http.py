"""What all calls share, and one call."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from gateway.documents.part_rules import Choice, not_beside
from gateway.documents.parts import (
    NAME,
    Duration,
    Node,
    OnBody,
    PathText,
    TemplateText,
    Tree,
    TreeObject,
    TreeParams,
    key,
    limits,
    part,
    share,
)
from gateway.mapping.language.errors import Condition
from gateway.values.messages import Json

Answer: TypeAlias = Literal["json", "text", "xml", "csv", "icalendar"]
"""How bodies are read."""
VERBS: Final = ("get", "post", "put", "patch", "delete")
"""HTTP methods that have a key of their own."""
BODIES: Final = ("json", "form", "jsonrpc", "text", "xml", "multipart", "icalendar")
"""Keys of a call that give it a body; it has one of them at most."""

_URL = "/api/v2/booking/{{ args.id }}"
_BOOK = {"service": "{{ args.service_id }}", "start": "{{ args.start }}"}
_SUCCESS = "what must hold of the body, or the keys of a condition as in errors:"


@part("reading", "`reading` of `http` and of a call")
class Reading(Node):
    """How an answer is read whose form leaves that open: `xml`, `csv` or `icalendar`."""

    lists: list[str] | None = key(
        "of XML: elements that are a list however many there are, or `parent/element` for one parent",
        example=["multistatus/response"],
    )
    holds: dict[str, Literal["icalendar", "json"]] | None = key(
        "of XML: elements whose text is of another form", example={"c:calendar-data": "icalendar"}
    )
    separator: str = key("of CSV: what stands between two values", default=",", minlength=1, maxlength=1, example=";")
    names: list[str] | None = key(
        "of CSV: the columns, where no first row names them", minlength=1, example=["id", "name"]
    )
    properties: list[str] | None = key(
        "of calendars: properties of events that are read besides the usual ones, as texts under `properties`",
        example=["X-BOOKING-ID"],
    )


@part("http", "`http`")
class Http(Node):
    """What all calls share."""

    base: TemplateText = key("put before every relative URL", example="{{ settings.base_url }}")
    timeout: Duration = key("the whole exchange", default="10s", example="10s")
    success: OnBody | Condition | None = key(_SUCCESS, example="success == `true`")
    answer: Answer = key("how bodies are read", default="json", example="json")
    reading: Reading | None = key("how answers of that form are read", example={"lists": ["multistatus/response"]})
    namespaces: dict[str, str] | None = key(
        "of XML: prefix of this file, empty for names without one, and its namespace",
        example={"": "DAV:", "c": "urn:ietf:params:xml:ns:caldav"},
        keysrules=limits(
            type="string", regex=r"([A-Za-z_][\w.-]*)?", meta={"meaning": "a prefix is a name of XML without a colon"}
        ).rules,
        valuesrules={"type": "string", "empty": False},
    )
    headers: TreeObject | None = key("headers of every call", example={"Accept": "application/json"})
    code: PathText | None = key("path to the provider's own error code", example="error.code")
    message: PathText | None = key("path to the provider's own words", example="error.message")
    rates: dict[str, str] | None = key(
        "rate class: how many in how long, at most",
        example={"default": "5/s", "create": "10/m"},
        keysrules=limits(
            type="string", regex=NAME, meta={"meaning": "a class begins with a letter; a-z, 0-9 and _ follow"}
        ).rules,
        valuesrules=limits(
            type="string",
            regex=r"[1-9]\d{0,4}/[smhd]",
            meta={"meaning": "calls per second, minute, hour or day", "example": "10/m"},
        ).rules,
    )
    concurrency: int | None = key("so many calls of a connection at the same time", min=1, max=64, example=4)


@part("jsonrpc", "`jsonrpc` of a call")
class JsonRpc(Node):
    """A JSON-RPC request."""

    method: str = key("the JSON-RPC method", example="getToken")
    params: TreeParams | None = key(
        "its params, by position or by name; without it none", example=["{{ settings.login }}"]
    )
    batch: Tree | None = key(
        "instead of `params` a list of them, for one call each; the value is the list of their answers",
        example=[["{{ args.id }}"]],
    )
    version: Literal["2.0", "1.0"] = key(
        "1.0 has no member `jsonrpc`, and an `error` of null", default="2.0", example="1.0"
    )


@part(
    "event",
    "`icalendar` of a call",
)
class Event(Node):
    """One event of a calendar (RFC 5545)."""

    uid: Tree = key("its name for ever, in every calendar", example="{{ idempotency_key }}")
    start: Tree | None = key("an instant, a date, or a local time in `zone`", example="{{ args.start }}")
    end: Tree | None = key(
        "when it is over, likewise; of a date the day after", nullable=True, example="{{ args.end }}"
    )
    zone: Tree | None = key(
        "the zone that its times are written in; without it UTC", example="{{ settings.time_zone }}"
    )
    summary: Tree | None = key("what it is called", nullable=True, example="{{ args.title }}")
    description: Tree | None = key("more about it", nullable=True, example="{{ args.notes }}")
    location: Tree | None = key("where it is", nullable=True, example="Court 1")
    status: Tree | None = key("TENTATIVE, CONFIRMED or CANCELLED", nullable=True, example="CONFIRMED")
    transparency: Tree | None = key("OPAQUE, or TRANSPARENT of what takes no time", nullable=True, example="OPAQUE")
    url: Tree | None = key("an address that belongs to it", nullable=True, example="https://club.example/b/7")
    sequence: Tree | None = key("its version; without it 0, or one more than `into` has", example=1)
    created: Tree | None = key("when it was made", nullable=True, example="{{ now }}")
    updated: Tree | None = key("when it was changed; with `into` it is now", nullable=True, example="{{ now }}")
    properties: TreeObject | None = key(
        "more texts, by the names of properties", example={"X-BOOKING-ID": "{{ args.id }}"}
    )
    into: Tree | None = key(
        "a calendar object with this event, of which all stays that is not said here; null takes a property away",
        example="{{ current.body }}",
    )


@part("link", "`next` of `pages` that stands in a header")
class Link(Node):
    """A next page that a Link header names (RFC 8288)."""

    link: str = key("the relation of the next page", minlength=1, example="next")


@part("page_send", "`send` of `pages`")
class PageSend(Node):
    """Where a call says which page it wants; laid over the call's own, a list instead of it."""

    query: TreeObject | None = key("query parameters", example={"cursor": "{{ token }}"})
    json: TreeObject | None = key("members of the JSON body", example={"page": "{{ number }}"})
    form: TreeObject | None = key("fields of the form", example={"start": "{{ offset }}"})
    params: TreeParams | None = key("params of JSON-RPC", example=["{{ args.day }}", "{{ number }}"])


@part("first_number", "`number` of `pages`")
class FirstNumber(Node):
    """Pages that have numbers."""

    from_: int = key("the number of the first page", min=0, default=1, example=0)


@part("first_offset", "`offset` of `pages`")
class FirstOffset(Node):
    """Pages that begin at a row; each later one behind the rows that came so far."""

    from_: int = key("the offset of the first row", min=0, default=0, example=1)


_LAST = "what holds of the last page; its templates see `body` besides"
_LAST_EXAMPLE = "length(data) < `50`"


@share
class _Pages(Node):
    """What all pages have."""

    rows: PathText = key(
        "keys to the list of a page, `@` where the answer is that; the lists of all pages are joined there",
        example="data",
    )
    most: int = key(
        "so many pages at most; a list that goes on beyond them fails", min=2, max=10_000, default=100, example=20
    )


@part("next_pages", "`pages` whose answers name the next one", known_by="next")
class NextPages(_Pages):
    """Each answer has the address of the next page, at the same host; the last one has none."""

    next: PathText | Link = key("path to that address, or the Link header that has it", example="links.next")
    until: OnBody | None = key(_LAST, example="!has_more")


@part("token_pages", "`pages` that are asked for by a token", known_by="token")
class TokenPages(_Pages):
    """Each answer has what the next page is asked for by; the last one has none."""

    token: PathText = key("path to it", example="meta.cursor")
    send: PageSend = key("where it goes, as `token`", example={"query": {"cursor": "{{ token }}"}})
    until: OnBody | None = key(_LAST, example="!has_more")


@part("numbered_pages", "`pages` that are asked for by a number", known_by="number")
class NumberedPages(_Pages):
    """Pages are counted."""

    number: FirstNumber = key("how they are counted", example={"from": 1})
    send: PageSend = key("where the number goes, as `number`", example={"query": {"page": "{{ number }}"}})
    until: OnBody = key(_LAST, example=_LAST_EXAMPLE)


@part("offset_pages", "`pages` that are asked for by an offset", known_by="offset")
class OffsetPages(_Pages):
    """Rows are counted."""

    offset: FirstOffset = key("how they are counted", example={"from": 0})
    send: PageSend = key("where the offset goes, as `offset`", example={"query": {"skip": "{{ offset }}"}})
    until: OnBody = key(_LAST, example=_LAST_EXAMPLE)


Pages: TypeAlias = Annotated[NextPages | TokenPages | NumberedPages | OffsetPages, Choice("`pages`", "wrong-pages")]
"""How the next page is found."""


@part("call", "`call`, and `login` of a session", not_beside("complete", "pages"))
class Call(Node):
    """One HTTP call."""

    get: TemplateText | None = key("HTTP GET of this URL", example=_URL)
    post: TemplateText | None = key("HTTP POST of this URL", example=_URL)
    put: TemplateText | None = key("HTTP PUT of this URL", example=_URL)
    patch: TemplateText | None = key("HTTP PATCH of this URL", example=_URL)
    delete: TemplateText | None = key("HTTP DELETE of this URL", example=_URL)
    method_name: str | None = key(
        "another HTTP method, in capitals, of the address under `url`", regex=r"[A-Z][A-Z-]*", example="PROPFIND"
    )
    url: TemplateText | None = key("the address of a call with `method_name`", example="/calendars/")
    query: TreeObject | None = key(
        "query parameters", example={"date_from": "{{ window.first_date }}", "date_to": "{{ window.last_date }}"}
    )
    headers: TreeObject | None = key("headers of this call", example={"Accept": "text/calendar"})
    json: Tree | None = key("a JSON body", example=_BOOK)
    form: TreeObject | None = key("a urlencoded body, PHP brackets for nested values", example=_BOOK)
    jsonrpc: JsonRpc | None = key(
        "a JSON-RPC body, posted to `http.base` unless a URL is given",
        example={"method": "getToken", "params": ["{{ args.id }}"]},
    )
    text: TemplateText | None = key("a body of plain text", example="{{ args.notes }}")
    xml: TreeObject | None = key(
        "an XML body: one member, its root; `@name` are attributes, `#text` is text beside them, a list repeats",
        example={"propfind": {"prop": {"displayname": ""}}},
    )
    multipart: TreeObject | None = key(
        "a multipart/form-data body: texts, or objects of `content`, `filename` and `type`",
        example={"name": "{{ args.id }}", "file": {"content": "a;b", "filename": "a.csv", "type": "text/csv"}},
    )
    icalendar: Event | None = key(
        "a body that is one event of a calendar", example={"uid": "{{ args.id }}", "start": "{{ args.start }}"}
    )
    auth: str | None = key("one of `auth_schemes`, instead of the file's own scheme", example="admin")
    timeout: Duration | None = key("the whole exchange", example="10s")
    rate_class: str | None = key("the rate class it counts against, instead of the operation's", example="create")
    success: OnBody | Condition | None = key(_SUCCESS, example="result != `false`")
    complete: OnBody | None = key(
        "what holds of an answer with all there is; of another, more pages would follow",
        example="length(data) < `100` && next_page == `null`",
    )
    pages: Pages | None = key(
        "how a call that reads follows the pages of a list, whose rows are joined",
        example={"rows": "data", "next": "links.next"},
    )
    whole: bool | None = key("the value is {status, headers, body} instead of the body", example=True)
    answer: Answer | None = key("how the body is read", example="icalendar")
    not_modified: int | None = key(
        "304, the status that says that nothing has changed: it is asked for by the ETag or Last-Modified of the "
        "answer before, which is given again",
        min=304,
        max=304,
        example=304,
    )
    reading: Reading | None = key(
        "how an answer of that form is read, instead of what `http` says", example={"separator": ";"}
    )

    @property
    def verbs(self) -> list[str]:
        """The keys of HTTP methods that are given; of a sound call at most one is meant."""
        return [verb for verb in (*VERBS, "method_name") if verb in self]

    def at(self, verb: str) -> Json:
        """The URL under one of the verbs."""
        return self.url if verb == "method_name" else getattr(self, verb)
