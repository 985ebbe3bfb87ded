"""What all calls share, and one call."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

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
)
from gateway.mapping.language.errors import Condition
from gateway.values.messages import Json

Answer: TypeAlias = Literal["json", "text", "icalendar"]
"""How bodies are read."""
VERBS: Final = ("get", "post", "put", "patch", "delete")
"""HTTP methods that a call may have; it has one of them, or a JSON-RPC method."""

_URL = "/api/v2/booking/{{ args.id }}"
_BOOK = {"service": "{{ args.service_id }}", "start": "{{ args.start }}"}
_SUCCESS = "what must hold of the body, or the keys of a condition as in errors:"


@part("http", "`http`")
class Http(Node):
    """What all calls share."""

    base: TemplateText = key("put before every relative URL", example="{{ settings.base_url }}")
    timeout: Duration = key("the whole exchange", default="10s", example="10s")
    success: OnBody | Condition | None = key(_SUCCESS, example="success == `true`")
    answer: Answer = key("how bodies are read", default="json", example="json")
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
    params: TreeParams | None = key("its params; without it none", example=["{{ settings.login }}"])


@part("call", "`call`, and `login` of a session")
class Call(Node):
    """One HTTP call."""

    get: TemplateText | None = key("HTTP GET of this URL", example=_URL)
    post: TemplateText | None = key("HTTP POST of this URL", example=_URL)
    put: TemplateText | None = key("HTTP PUT of this URL", example=_URL)
    patch: TemplateText | None = key("HTTP PATCH of this URL", example=_URL)
    delete: TemplateText | None = key("HTTP DELETE of this URL", example=_URL)
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
    auth: str | None = key("one of `auth_schemes`, instead of the file's own scheme", example="admin")
    timeout: Duration | None = key("the whole exchange", example="10s")
    rate_class: str | None = key("the rate class it counts against, instead of the operation's", example="create")
    success: OnBody | Condition | None = key(_SUCCESS, example="result != `false`")
    complete: OnBody | None = key(
        "what holds of an answer with all there is; of another, more pages would follow",
        example="length(data) < `100` && next_page == `null`",
    )
    whole: bool | None = key("the value is {status, headers, body} instead of the body", example=True)
    answer: Answer | None = key("how the body is read", example="icalendar")

    @property
    def verbs(self) -> list[str]:
        """The HTTP methods that are given; of a sound call at most one is meant."""
        return [verb for verb in VERBS if verb in self]

    def at(self, verb: str) -> Json:
        """The URL under one of the verbs."""
        return getattr(self, verb)
