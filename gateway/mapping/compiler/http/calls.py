"""Calls and error rules, compiled.

Nothing here sends anything. What a template puts into a path is percent-encoded, and the host can only come from a
setting of type url, so that no argument can change where a request goes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.documents.yaml import Place, suggestion
from gateway.mapping.checks.header_names import check_headers, check_name
from gateway.mapping.checks.operations import check_rules
from gateway.mapping.checks.paging import paging
from gateway.mapping.compiler.conditions import condition_of
from gateway.mapping.compiler.context import BASE, SENDING, Context
from gateway.mapping.compiler.http.bodies import compile_body, compile_reading, envelope_of
from gateway.mapping.compiler.http.pages import Sent, compile_pages
from gateway.mapping.compiler.trees import Names, compile_object, text_of
from gateway.mapping.expressions.patterns import Pattern, PatternRefused, compile_pattern
from gateway.mapping.language.errors import Condition as ConditionPart
from gateway.mapping.language.errors import ErrorRule as RulePart
from gateway.mapping.language.http import VERBS, Call
from gateway.mapping.language.http import Http as HttpPart
from gateway.mapping.nodes.bodies import ReadingPlan
from gateway.mapping.nodes.calls import CallPlan, Condition, ErrorRule
from gateway.mapping.nodes.trees import Headers, Tree, Url
from gateway.values.rates import LimitsPlan, Rate

ANSWER: Final = frozenset({"body", "status", "headers"})
"""Names that templates see which judge an answer."""
_SETTING_FIRST = re.compile(r"\{\{\s*settings\.([a-z_][a-z0-9_]*)\s*\}\}")
_PATH_SETTING = re.compile(r"/?\{\{\s*settings\.([a-z_][a-z0-9_]*)\s*\}\}")
_NEVER: Final = frozenset({"CONNECT", "TRACE"})
_STATUSES = range(100, 600)
"""RFC 9110, section 15."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_HOLE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Http:
    """What all calls of a file share, compiled from `http:`."""

    base: Tree
    timeout: float
    success: Condition | None
    answer: str
    headers: Tree | None
    limits: LimitsPlan
    reading: ReadingPlan = field(default_factory=ReadingPlan)
    limit: str = "default"
    """The class of rate that a call counts against unless it names one."""

    def of_class(self, context: Context, name: str | None, place: Place) -> Http:
        """The same for the part of the file whose `rate_class:` has this name, if it has one."""
        if name is None:
            return self
        context.used_limits.add(name)
        if name not in self.limits.rates and name != "default":
            hint = suggestion(name, self.limits.rates)
            context.report((*place, "rate_class"), "unknown-rate-class", f"`http.rates` has no class `{name}`{hint}")
        return replace(self, limit=name)


def seconds(text: str) -> float:
    """`10s`, `500ms`, `55m`, `1h`, `6d` in seconds."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text).groups()  # type: ignore[union-attr] # the schema checked the form
    return float(number) * _UNITS[unit]


def compile_http(context: Context, node: HttpPart) -> Http | None:
    """Compile `http:`; None with findings when it is wrong."""
    place = node.place
    if not node.sound:
        return None
    context.provider_code = context.path(node.code, (*place, "code")) if "code" in node else None
    context.message = context.path(node.message, (*place, "message")) if "message" in node else None
    base = _compile_base(context, node.base, (*place, "base"))
    success = _compile_success(context, node, BASE)
    headers = compile_object(context, node.headers, (*place, "headers"), BASE) if "headers" in node else None
    check_headers(context, node.headers, (*place, "headers"))
    reading = compile_reading(context, node, node.answer, None)
    return Http(base, seconds(node.timeout), success, node.answer, headers, compile_limits(node), reading)


def compile_limits(node: HttpPart) -> LimitsPlan:
    """Compile `rates:` and `concurrency:` of `http:`, whose form is checked."""
    rates = {}
    for name, text in (node.rates or {}).items():
        amount, _, unit = text.partition("/")
        rates[name] = Rate(int(amount), _PERIODS[unit], text)
    return LimitsPlan(rates, node.concurrency)


def _compile_base(context: Context, text: str, place: Place) -> Tree:
    _check_host(context, text, place)
    return text_of(context.template(text, place, BASE), context.origin(place))


def _check_host(context: Context, text: str, place: Place) -> None:
    """The host is a literal or a setting of type url: nothing a caller sends can move a request elsewhere."""
    found = _SETTING_FIRST.match(text)
    if found and not re.match(r"/|$", text[found.end() :]):
        context.report(place, "host-not-url", "after the setting that stands for the host comes `/`")
    elif found:
        setting = context.settings.get(found[1])
        if setting is not None and setting.type != "url":
            context.report(place, "host-not-url", f"`settings.{found[1]}` stands for the host; its type must be url")
    elif not re.match(r"https?://[^/{}]+(/|$)", text):
        context.report(place, "host-not-url", "a URL begins with http(s)://host as written, or a url setting and `/`")


def compile_call(
    context: Context, node: Call, names: Names, http: Http, *, secrets: bool = False, reads: bool = False
) -> CallPlan | None:
    """Compile one call; None with findings when it is wrong. `reads` says that it changes nothing."""
    place, rpc = node.place, _rpc(node)
    if not node.sound or not _has_verb(context, node, rpc):
        return None
    names = frozenset(names) | SENDING
    verb = node.verbs[0] if node.verbs else "post"
    method, text = node.method_name or verb.upper(), node.at(verb) or ""
    answer = node.answer or http.answer
    reading = compile_reading(context, node, answer, http.reading)
    body_kind, body = _compile_sent(context, node, names, reading, secrets=secrets)
    check_headers(context, node.headers, (*place, "headers"))
    query, headers = (_tree(context, node, key, names, secrets=secrets) for key in ("query", "headers"))
    return CallPlan(
        method=method,
        url=_compile_url(context, text, (*place, _address(verb)) if node.verbs else place, names, http),
        query=query,
        headers=_both(http.headers, headers),
        body=body,
        body_kind=body_kind,
        rpc=rpc,
        timeout=seconds(node.timeout) if node.timeout is not None else http.timeout,
        limit=http.of_class(context, node.rate_class, place).limit,
        success=_compile_success(context, node, names) or http.success,
        complete=condition_of(context, node, "complete", names | {"body"}),
        part_by=paging(node),
        whole=bool(node.whole),
        said=(context.provider_code, context.message),
        answer=answer,
        origin=context.origin(place),
        text=f"{method} {text or 'the base URL'}" + (f" {rpc}" if rpc else ""),
        auth=_scheme(context, node.auth or "", place),
        path=_segments(text),
        envelope=envelope_of(context, node),
        reading=reading,
        pages=compile_pages(context, node, Sent(query, body, body_kind), names, reads=reads),
    )


def _has_verb(context: Context, node: Call, rpc: str | None) -> bool:
    """Whether a call says in one way what is done; a finding where it does not."""
    if len(node.verbs) <= 1 and (node.verbs or rpc is not None) and _is_named(context, node):
        return True
    message = "a call has exactly one of get, post, put, patch, delete, or `jsonrpc`"
    context.report(node.place, "call-without-verb", f"{message}; any other method is `method_name` and `url`")
    return False


def _compile_sent(
    context: Context, node: Call, names: Names, reading: ReadingPlan, *, secrets: bool
) -> tuple[str, Tree | None]:
    """Compile what is sent, and note for `auth:` of which kind it is."""
    kind, body = compile_body(context, node, names, reading, secrets=secrets)
    if not secrets:  # a login proves who we are by itself
        context.bodies.setdefault(node.auth or "", set()).add(kind)
    return kind, body


def _tree(context: Context, node: Call, key: str, names: Names, *, secrets: bool) -> Tree | None:
    """Compile an object of a call; None where it is not written."""
    written = node.query if key == "query" else node.headers
    return compile_object(context, written, (*node.place, key), names, secrets=secrets) if key in node else None


def _address(verb: str) -> str:
    return "url" if verb == "method_name" else verb


def _is_named(context: Context, node: Call) -> bool:
    """Whether a method that has no key of its own comes with its address."""
    name = node.method_name or ""
    if name.lower() in VERBS:
        context.report((*node.place, "method_name"), "not-allowed", f"write `{name.lower()}:` and the address")
    if name in _NEVER:
        message = f"`{name}` is for whoever stands between client and server: no provider is called with it"
        context.report((*node.place, "method_name"), "not-allowed", message)
    return ("url" in node) == ("method_name" in node)


def _scheme(context: Context, name: str, place: Place) -> str:
    if name and name not in context.auth_schemes:
        hint = suggestion(name, context.auth_schemes)
        context.report((*place, "auth"), "unknown-scheme", f"`{name}` is not among `auth_schemes:`{hint}")
    context.used_schemes.add(name)
    return name


def _rpc(node: Call) -> str | None:
    if node.jsonrpc is None:
        return None
    return node.jsonrpc.method if node.jsonrpc.sound else ""


def _both(shared: Tree | None, own: Tree | None) -> Tree | Headers | None:
    return Headers(shared, own) if shared is not None and own is not None else shared or own


def _compile_url(context: Context, text: str, place: Place, names: Names, http: Http) -> Url:
    base, path, origin = http.base, text, context.origin(place)
    if text and not text.startswith("/"):
        _check_host(context, text, place)
        found = _SETTING_FIRST.match(text) or re.match(r"https?://[^/{}]+", text)
        end = found.end() if found else 0
        base = text_of(context.template(text[:end], place, BASE), origin) if end else http.base
        path = text[end:]
    if "?" in _HOLE.sub("", path):
        context.report(place, "query-in-url", "write query parameters under `query:`, so that they are encoded")
    lead = _PATH_SETTING.match(path)
    setting = context.settings.get(lead[1]) if lead else None
    first: Tree | None = None
    if lead is not None and setting is not None and setting.type == "path":
        first = text_of(context.template(lead[0].lstrip("/"), place, BASE), origin)
        path = path[lead.end() :]
    return Url(base, first, text_of(context.template(path, place, names, quote=True), origin))


def _segments(text: str) -> tuple[str | None, ...]:
    found = _SETTING_FIRST.match(text) or re.match(r"https?://[^/{}]+", text)
    path = text[found.end() :] if found else text
    return tuple(None if "{{" in part else part for part in re.split(r"/(?![^{]*\}\})", path.strip("/")) if part)


def _compile_success(context: Context, node: HttpPart | Call, names: Names) -> Condition | None:
    """Compile what makes an answer a success: what decides alone, or the keys of a condition; None of nothing."""
    if node.success is None:
        return None
    if isinstance(node.success, str):
        when = condition_of(context, node, "success", frozenset(names) | ANSWER)
        return Condition(when=when, origin=context.origin((*node.place, "success")))
    return compile_when(context, node.success, names) if node.success.sound else None


def compile_when(context: Context, node: ConditionPart, names: Names) -> Condition:
    """Compile the keys of a condition on an answer; its templates see these names, and the answer."""
    place, status = node.place, node.status
    headers = []
    for name in node.header or {}:
        check_name(context, name, (*place, "header", name), key=True)
    for name, pattern in (node.header or {}).items():
        try:
            headers.append((name.lower(), compile_pattern(str(pattern))))
        except PatternRefused as refused:
            if refused.slow:
                context.report((*place, "header", name), "slow-expression", str(refused))
            else:
                context.report((*place, "header", name), "bad-expression", str(refused))
            headers.append((name.lower(), Pattern(str(pattern))))
    when = condition_of(context, node, "when", frozenset(names) | ANSWER)
    if status is None and not node.header and "when" not in node:
        context.report(place, "rule-without-condition", "a rule needs `status`, `header` or `when`")
    listed = status if isinstance(status, list) else [] if status is None else [status]
    for one in listed:
        if one not in _STATUSES:
            context.report(
                (*place, "status"), "bad-status", f"no answer has the status {one}; write one from 100 to 599"
            )
    wanted = frozenset(listed)
    return Condition(None if status is None else wanted, tuple(headers), when, context.origin(place))


def compile_rules(context: Context, nodes: list[RulePart] | None) -> tuple[ErrorRule, ...]:
    """Compile error rules in order; one that those before it hide is a finding."""
    rules: list[ErrorRule] = []
    conditions: list[tuple[Place, Condition]] = []
    for node in nodes or []:
        where = node.place
        if not node.sound:
            continue
        context.error_code(node.is_, (*where, "is"))
        text = ", ".join(f"{key}: {getattr(node, key)}" for key in ("status", "header", "when") if key in node)
        names = BASE | {"args"} | ANSWER
        rule = ErrorRule(
            condition=compile_when(context, node, BASE | {"args"}),
            code=node.is_,
            provider_code=context.path(node.code, (*where, "code")) if "code" in node else context.provider_code,
            message=context.path(node.message, (*where, "message")) if "message" in node else context.message,
            details=compile_object(context, node.details, (*where, "details"), names) if "details" in node else None,
            place=where,
            origin=context.origin(where),
            text=text,
        )
        rules.append(rule)
        conditions.append((where, rule.condition))
    check_rules(context, conditions)
    return tuple(rules)
