"""The mapping file itself, and the settings of a connection."""

from __future__ import annotations

from typing import Any, Final, Literal

from gateway.documents.parts import CodecSpec, Node, OperationName, Reasons, key, part
from gateway.mapping.language.auth import Auth
from gateway.mapping.language.errors import ErrorRule
from gateway.mapping.language.hooks import Hook
from gateway.mapping.language.http import Http
from gateway.mapping.language.operations import Native, Operation
from gateway.mapping.language.polling import BOOKINGS, Polling
from gateway.mapping.language.records import Record
from gateway.values.messages import Json

LANGUAGE: Final = 2
"""The language version this engine speaks."""


@part("setting", "one of `settings`")
class Setting(Node):
    """What a connection must give."""

    type: Literal[
        "string", "integer", "boolean", "secret", "url", "path", "time_zone", "currency", "object", "list"
    ] = key("what it is", example="secret")
    required: bool | None = key("a connection must give it", example=True)
    default: Json | None = key("used when a connection does not give it", example="https://api.example")
    meaning: str | None = key("one sentence for the person who fills it in", example="The key of the account.")
    allowed: list[Any] | None = key("the only values it may have", example=["save", "add"])


@part("file", "the mapping file itself")
class File(Node):
    """A mapping file."""

    language: int = key("version of this language", example=LANGUAGE)
    provider: str = key(
        "the name connections use: a letter, then a-z, 0-9 and _", regex=r"[a-z][a-z0-9_]{0,62}", example="example"
    )
    title: str = key("the provider's name for people", example="Example Booking")
    kind: Literal["booking_system", "marketplace"] = key("who calls whom", example="booking_system")
    settings: dict[str, Setting] = key(
        "what a connection must give, by name", example={"currency": {"type": "currency", "required": True}}
    )
    auth: Auth | str = key("how we prove who we are, or `none`", example="none")
    auth_schemes: dict[str, Auth] | None = key(
        "other schemes by name, for calls that say `auth: NAME`",
        example={"admin": {"headers": {"X-Api-Key": "{{ settings.api_key }}"}}},
    )
    http: Http = key("what all calls share", example={"base": "{{ settings.base_url }}"})
    errors: list[ErrorRule] | None = key(
        "what refusals mean; the first match wins", example=[{"status": 404, "is": "NOT_FOUND"}]
    )
    codecs: dict[str, CodecSpec] | None = key("codecs by name", example={"local": {"datetime": "%Y-%m-%d %H:%M"}})
    records: dict[str, Record] | None = key(
        "field tables by name", example={"person": {"of": "Attendee", "fields": {"name": "full_name"}}}
    )
    fragments: dict[str, Json] | None = key(
        "trees and other parts by name, each written once and used as `{$fragment: NAME}`",
        example={"person": {"name": "{{ args.customer.name }}"}},
    )
    operations: dict[OperationName, Operation | list[Operation]] = key(
        "canonical operations; each is one way, or a list of ways",
        example={"services.get": {"result": {"find": "services.list"}}},
    )
    native: dict[str, Native] | None = key(
        "everything else the vendor offers, by the vendor's names",
        example={"getNews": {"safe": True, "call": {"get": "/news"}}},
    )
    hooks: dict[str, Hook] | None = key(
        "what the provider sends to us: the name in the hook's address, and what its messages mean",
        keysrules={
            "type": "string",
            "regex": r"[a-z][a-z0-9-]{0,62}",
            "meta": {"meaning": "a hook's name begins with a letter; a-z, 0-9 and - follow"},
        },
        example={"events": {"verify": "none", "dedupe": ["id"], "type": "changed", "record": "booking"}},
    )
    polling: Polling | None = key("how changes are found where the provider tells none", example={"bookings": BOOKINGS})
    unsupported: Reasons | None = key(
        "canonical operations this provider cannot do: reason; `*` for all that are left, while it is made",
        example={"slots.push": "it takes no slots"},
    )
