"""What an answer means: the decoded body, or the error that the provider meant by it. Pure.

A provider's own 401 and 403 never become the caller's: they say that *our* credentials were refused.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

from gateway.dialects.tables import read_table
from gateway.dialects.xml import read_xml
from gateway.mapping.expressions import ExpressionFailed, Path
from gateway.mapping.expressions.probes import PROBE
from gateway.mapping.generated.paths import find
from gateway.mapping.generated.running import build
from gateway.mapping.nodes.calls import ASKED, CALENDARS, CallPlan, Condition, ErrorRule, Scope
from gateway.mapping.runtime.expressions import holds_where_it_can
from gateway.mapping.runtime.requests import batch
from gateway.values.errors import (
    AnswerMismatch,
    GatewayError,
    ProviderRedirected,
    ProviderRejected,
    ProviderUnauthorised,
    ProviderUnavailable,
)
from gateway.values.http import retry_after
from gateway.values.messages import Json, Response
from gateway.values.strictjson import UTF_8, Unreadable, as_utf8, declared_charset, decode_json, decode_text

_ELSEWHERE = frozenset({307, 308})


def holds(condition: Condition, response: Response, body: Json, scope: Scope) -> bool:
    """Whether all parts of a condition are true of an answer."""
    if condition.status is not None and response.status not in condition.status:
        return False
    for name, pattern in condition.headers:
        value = response.headers.get(name)
        if value is None or not pattern.found(value):
            return False
    if condition.when is None:
        return True
    names = scope if isinstance(condition.when, Path) else _tell(scope, response, body)  # every answer comes here
    return holds_where_it_can(condition.when, body, names, condition.origin)


def decode(call: CallPlan, response: Response, scope: Scope) -> tuple[Json, str | None]:
    """The body as data, and why it could not be read (then the data is None).

    A refusal that is JSON is read as such whatever `answer:` says, and one that is not as XML in a file that reads XML:
    vendors refuse feeds and texts in their usual form.
    An answer without a body is null when its status says so, a text of no length where texts are read, else unreadable.
    """
    if not response.body and response.status == 204:  # noqa: PLR2004 - No Content
        return None, None
    if response.status >= 300:  # noqa: PLR2004 - no success
        with suppress(Unreadable):
            return decode_json(as_utf8(response.body, declared_charset(response.headers))), None
    kind = call.answer if response.status < 300 else call.reading.refusal  # noqa: PLR2004
    try:
        body = _DECODERS[kind](call, response, scope)
    except Unreadable as refused:
        return None, refused.reason
    probe = PROBE.get()
    if probe is not None:
        probe.answered(call, body)
    return body, None


def _json(_call: CallPlan, response: Response, _scope: Scope) -> Json:
    return decode_json(as_utf8(_present(response), declared_charset(response.headers)))


def _plain(_call: CallPlan, response: Response, _scope: Scope) -> Json:
    return decode_text(response.body, declared_charset(response.headers))


def _table(call: CallPlan, response: Response, _scope: Scope) -> Json:
    return read_table(decode_text(_present(response), declared_charset(response.headers)), call.reading.table)


def _xml(call: CallPlan, response: Response, scope: Scope) -> Json:
    holders: dict[str, Callable[[str], Json]] = {
        "json": lambda text: decode_json(text.encode()),
        "icalendar": lambda text: _events(call, text.encode(), UTF_8, scope),
    }
    charset = declared_charset(response.headers)
    stated = "charset" in response.headers.get("content-type", "").lower()
    body = _present(response)
    if charset != UTF_8:  # what the message declares comes before what the document says of itself
        body = as_utf8(body, charset)
    return read_xml(body, UTF_8 if stated else None, call.reading.xml, holders)


def _calendar(call: CallPlan, response: Response, scope: Scope) -> Json:
    return _events(call, _present(response), declared_charset(response.headers), scope)


def _events(call: CallPlan, body: bytes, charset: str, scope: Scope) -> Json:
    """Read a feed. What is slow to start is imported where a mapping is compiled that reads one."""
    events = importlib.import_module(CALENDARS).calendar_events
    return events(body, scope["now"], scope.get(ASKED, (None, None)), charset, call.reading.properties)


def _present(response: Response) -> bytes:
    """Refuse a body of nothing, which is a text and nothing else."""
    if not response.body:
        raise Unreadable("is empty")
    return response.body


_DECODERS: Final[Mapping[str, Callable[[CallPlan, Response, Scope], Json]]] = {
    "json": _json,
    "text": _plain,
    "xml": _xml,
    "csv": _table,
    "icalendar": _calendar,
}
"""What `answer:` says → how a body is read."""


def to_body(call: CallPlan, response: Response, rules: Iterable[ErrorRule], scope: Scope) -> Json:
    """Read an answer: the decoded body of a success, otherwise the error that the rules make of it.

    Of a call that wants the whole answer it is the body with the status and the headers.
    """
    body, unreadable = decode(call, response, scope)
    usual = 200 <= response.status < 300  # noqa: PLR2004
    if usual and unreadable is not None:  # no rule can tell what it said, and a write may have been done
        raise AnswerMismatch(f"{call.origin}: the provider's answer {unreadable}", origin=call.origin)
    if call.envelope.batch and isinstance(body, list):
        body, refused = _in_order(call, body, scope)
        if refused is not None:
            body, usual = refused, False
    named = call.success is not None and call.success.status is not None
    if (usual or named) and _is_success(call, response, body, scope):
        return {"status": response.status, "headers": _show(response), "body": body} if call.whole else body
    for rule in rules:
        if holds(rule.condition, response, body, scope):
            raise _reject(rule, response, body, scope)
    raise _unlisted(call, response, body)


def _show(response: Response) -> dict[str, str]:
    """The headers that a mapping may read: all but cookies, which are sessions that the gateway does not take up."""
    return {name: value for name, value in response.headers.items() if name != "set-cookie"}


def _is_success(call: CallPlan, response: Response, body: Json, scope: Scope) -> bool:
    """Whether an answer is one: `success:` says so, else an answer of JSON-RPC without `error` (2.0, section 5)."""
    if call.success is not None and not holds(call.success, response, body, scope):
        return False
    if call.body_kind != "jsonrpc":
        return True
    if call.envelope.batch and isinstance(body, list):
        return True  # each was looked at as it was put in its place
    if call.success is None and (call.envelope.batch or not isinstance(body, dict)):
        raise AnswerMismatch(f"{call.origin}: the provider's answer is not one of JSON-RPC", origin=call.origin)
    if call.success is None and body.get("error") is not None:
        return False
    if isinstance(body, dict) and "id" in body and str(body["id"]) != str(scope["serial"]):
        raise AnswerMismatch(f"{call.origin}: the JSON-RPC answer belongs to another call", origin=call.origin)
    return True


def _in_order(call: CallPlan, answers: list[Json], scope: Scope) -> tuple[list[Json], Json]:
    """Give the answers of a batch in the order of its calls, and the first that is a refusal unless `success:` says.

    Raises AnswerMismatch unless each call has one answer (JSON-RPC 2.0, section 6).
    """
    sent = build(call.body, {"sent_at": scope["now"], **scope}) if call.body is not None else []
    wanted = [batch(scope["serial"], at) for at in range(len(sent))]
    found = {str(one.get("id")): one for one in answers if isinstance(one, dict)}
    if sorted(found) != sorted(wanted) or len(answers) != len(wanted):
        raise AnswerMismatch(f"{call.origin}: the batch is not answered call by call", origin=call.origin)
    ordered = [found[one] for one in wanted]
    errors = (one for one in ordered if one.get("error") is not None) if call.success is None else ()
    return ordered, next(iter(errors), None)


def _reject(rule: ErrorRule, response: Response, body: Json, scope: Scope) -> GatewayError:
    probe = PROBE.get()
    if probe is not None:
        probe.caught(rule)
    words = say((rule.provider_code, rule.message), body)
    kind = ProviderUnauthorised if rule.code == "PROVIDER_AUTH_FAILED" else ProviderRejected
    return kind(
        "",
        code=rule.code,
        details=build(rule.details, _tell(scope, response, body)) if rule.details else None,
        retry_after=retry_after(response),
        origin=rule.origin,
        provider=words,
        rule=rule.text,
    )


def _tell(scope: Scope, response: Response, body: Json) -> Scope:
    """What a condition on an answer sees, and the details of an error rule."""
    return {**scope, "body": body, "status": response.status, "headers": _show(response)}


def say(paths: tuple[Path | None, Path | None], body: Json) -> dict[str, str]:
    """What the provider itself called the refusal."""
    found = {}
    for key, path in zip(("code", "message"), paths, strict=True):
        try:
            value = find(path, body) if path is not None and body is not None else None
        except ExpressionFailed:
            continue  # the refusal counts, not what it is called
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            found[key] = str(value)
    return found


def _unlisted(call: CallPlan, response: Response, body: Json) -> GatewayError:
    """What an answer means that no rule knows (RFC 9110, section 15)."""
    status = response.status
    words = {"code": str(status)} | say(call.said, body)
    if status in {401, 403}:
        return ProviderUnauthorised("The provider refuses the gateway's credentials.", provider=words)
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return ProviderRejected("", code="RATE_LIMITED", retry_after=retry_after(response), provider=words)
    if status >= 500:  # noqa: PLR2004 - server errors
        error: GatewayError = ProviderUnavailable(
            f"The provider answered {status}.", sent=True, retry_after=retry_after(response), status=status
        )
        return error
    if 300 <= status < 400:  # noqa: PLR2004 - redirection
        return _redirect(call, status, words)
    detail = (
        f"{call.origin}: the provider refused the call with status {status}, and no error rule of the mapping matches"
    )
    return ProviderRejected(detail, origin=call.origin, provider=words)


def _redirect(call: CallPlan, status: int, words: dict[str, str]) -> GatewayError:
    """What a redirect means that no rule knows. The gateway follows none: a write must not be sent twice.

    307 and 308 want the same request at another address, so nothing was done (RFC 9110, sections 15.4.8 and 15.4.9).
    303 usually says that it was done (15.4.4), and so do 301 and 302 where forms are sent (15.4.2, 15.4.3).
    """
    if status in _ELSEWHERE:
        detail = f"{call.origin}: the provider wants the call at another address (status {status}): correct the URL"
        return ProviderRejected(detail, origin=call.origin, provider=words)
    detail = (
        f"{call.origin}: the provider answered with a redirect ({status}), and no `success:` or error rule knows it"
    )
    return ProviderRedirected(detail, origin=call.origin, provider=words)
