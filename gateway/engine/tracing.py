"""What a call did, exchange by exchange, for the operator: requests, answers, and what the mapping made of them.

Nothing here sends, decides or keeps anything. A Trace shows nothing before its call has ended: only then every secret
that the call met is known, a session's token that was renewed on the way among them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias
from urllib.parse import unquote, unquote_plus
from xml.sax.saxutils import escape

from gateway.values.errors import AnswerMismatch, GatewayError
from gateway.values.messages import Json, Request, Response
from gateway.values.secrets import MASK, Credential, Redactor, Secret
from gateway.values.strictjson import JsonRefused, decode_json

Mask: TypeAlias = Callable[[str], str]
_PLAIN: Final = frozenset({"text", "xml", "multipart", "icalendar"})
"""Forms of bodies in which a text stands as it is, or as XML escapes it."""

SUCCESS = "success"
RULE = "rule"
STATUS = "status"
UNREADABLE = "unreadable"
SESSION_REFUSED = "session-refused"
NO_ANSWER = "no-answer"
UNREAD = "unread"
"""What settled an exchange: it was a success; an error rule matched; none did, so the status said it; the answer could
not be read; the provider refused the session, so a new one was fetched; no answer came; the call ended before."""

CALL = "call"
LOGIN = "login"
RENEWAL = "renewal"
"""What an exchange is for: a step of the mapping; a login before it; another one after the session was refused."""


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """The error rule that matched: its place `file:line`, its condition as the mapping writes it, the code it means."""

    origin: str
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class TracedExchange:
    """One exchange with a provider. No text holds a secret; `step` and `origin` (`file:line`) are the mapping's."""

    step: str
    origin: str
    purpose: str
    attempt: int
    """1, and one more for each repetition of the same step."""
    request: Request
    response: Response | None
    verdict: str
    code: str
    """The error code that the answer or its absence means; empty for none."""
    rule: MatchedRule | None
    error: str
    """What was wrong, in a sentence; a rule says it by its code alone."""
    waited: float
    """Seconds until it was its turn, as the rates of the mapping have it."""
    seconds: float
    """Seconds that the exchange itself took."""


@dataclass(slots=True)
class Record:
    """An exchange as it goes on, nothing masked."""

    attempt: int
    asked: float
    purpose: str = CALL
    request: Request | None = None
    """None until its turn has come."""
    sent: float | None = None
    ended: float | None = None
    response: Response | None = None
    verdict: str = ""
    code: str = ""
    rule: MatchedRule | None = None
    error: str = ""

    def settle(self, verdict: str, error: GatewayError | None = None) -> None:
        """Note what settled it, and what that means."""
        self.verdict = verdict
        if error is not None:
            self.code, self.error = error.code, error.detail


@dataclass(slots=True)
class Trace:
    """The trace of one call: made empty, handed to the engine, complete and masked when the engine is done."""

    exchanges: tuple[TracedExchange, ...] = ()
    """In the order in which they were asked for."""
    error: str = ""
    """Why the call failed, in a sentence."""
    origin: str = ""
    """The place in the mapping, `file:line`, that the failure names."""
    _records: list[Record] = field(default_factory=list, repr=False)
    _secrets: list[Secret] = field(default_factory=list, repr=False)
    _known: Callable[[], Iterable[Secret]] = field(default=tuple, repr=False)

    def begin(self, known: Callable[[], Iterable[Secret]]) -> None:
        """Begin a call. `known` gives what is secret at the moment."""
        self._known = known

    def failed(self, error: GatewayError) -> None:
        """Note how the call ended."""
        self.error, self.origin = error.detail, error.origin or ""

    def end(self) -> None:
        """Show what was recorded, every secret masked that was known at any time of the call."""
        self.learn()
        redactor = Redactor(self._secrets)

        def mask(text: str) -> str:
            return redactor.text(text).encode(errors="replace").decode()  # a caller's text may hold half a character

        self.error = mask(self.error)
        known = frozenset(secret.reveal() for secret in self._secrets)
        self.exchanges = tuple(_show(one, one.request, mask, known) for one in self._records if one.request is not None)

    def add(self, record: Record) -> None:
        """Take up an exchange that begins now."""
        self.learn()
        self._records.append(record)

    def learn(self) -> None:
        """Remember what is secret now: a token may be gone when the call ends, and still be in what was recorded."""
        self._secrets += [secret for secret in self._known() if secret not in self._secrets]


class Watch:
    """Watches one attempt at a step for a trace: its exchange, and the logins before it."""

    __slots__ = ("_attempt", "_clock", "_logins", "_records", "_trace")

    def __init__(self, trace: Trace, clock: Callable[[], float], *, attempt: int, logins: frozenset[str]) -> None:
        """`logins` are the places of the session's own calls in the mapping, by which its requests are known."""
        self._trace = trace
        self._clock = clock
        self._attempt = attempt
        self._logins = logins
        self._records: list[Record] = []

    def begin(self) -> Record:
        """Begin a record. Another request in an attempt tells of the one before: a token was got, or was refused."""
        last = self._records[-1] if self._records else None
        if last is not None and last.response is not None:
            last.settle(SESSION_REFUSED if last.purpose == CALL else SUCCESS)
        record = Record(self._attempt, self._clock())
        self._records.append(record)
        self._trace.add(record)
        return record

    def made(self, record: Record, request: Request) -> None:
        """Note what is sent, or would have been, and what it is for."""
        record.request = request
        if request.origin in self._logins:
            record.purpose = LOGIN if record is self._records[0] else RENEWAL

    def sent(self, record: Record) -> None:
        """Note that the request goes now."""
        record.sent = self._clock()

    def end(self, record: Record) -> None:
        """Note that the exchange is over."""
        record.ended = self._clock()
        self._trace.learn()

    def meant(self, error: GatewayError | None, *, read: bool = True) -> None:
        """Note what the last answer was taken to mean; `read` is False when it was not the step's own answer."""
        last = self._records[-1] if self._records else None
        if last is None or last.response is None:
            return
        if error is None:
            last.settle(SUCCESS)
        elif not read and last.purpose == CALL:
            last.settle(SESSION_REFUSED, error)
        elif error.rule is not None:
            last.verdict, last.code = RULE, error.code
            last.rule = MatchedRule(error.origin or "", error.rule, error.code)
        else:
            last.settle(UNREADABLE if _is_unreadable(error) else STATUS, error)


def _is_unreadable(error: GatewayError) -> bool:
    """Whether the answer itself was at fault; of a login, this is told by the cause."""
    return isinstance(error, AnswerMismatch) or isinstance(error.__cause__, AnswerMismatch)


def _show(record: Record, request: Request, mask: Mask, known: frozenset[str]) -> TracedExchange:
    """An exchange as it may be seen; `known` are the secrets, which are masked whole where they are put."""
    response, ended = record.response, record.ended
    began = record.sent if record.sent is not None else ended
    return TracedExchange(
        step=request.step,
        origin=request.origin,
        purpose=record.purpose,
        attempt=record.attempt,
        request=replace(
            request,
            url=_url(request.url, mask, known),
            query=_name(request.query, mask),
            headers=_name(request.headers, mask),
            body=_send(request, mask),
            content=None,
            hidden=frozenset(),
        ),
        response=None if response is None else _answer(response, mask, tokens=_may_hold_tokens(record)),
        verdict=record.verdict or (NO_ANSWER if response is None else UNREAD),
        code=record.code,
        rule=record.rule,
        error=mask(record.error),
        waited=0.0 if began is None else began - record.asked,
        seconds=0.0 if began is None or ended is None else ended - began,
    )


def _may_hold_tokens(record: Record) -> bool:
    """Whether an answer may hold a token, or the parts of one: any of a login but a refusal or a page."""
    if record.purpose == CALL or record.verdict in {RULE, STATUS}:
        return False
    body = record.response.body if record.response is not None else b""
    return record.verdict != UNREADABLE or body.lstrip()[:1] in {b"{", b"[", b'"'}


def _name(parts: tuple[tuple[str, str], ...], mask: Mask) -> tuple[tuple[str, str], ...]:
    return tuple((mask(name), MASK if isinstance(value, Credential) else mask(value)) for name, value in parts)


def _url(url: str, mask: Mask, known: frozenset[str]) -> str:
    """An address; a part of its path that is a secret is masked however short it is."""
    return "/".join(MASK if unquote(part) in known else mask(part) for part in url.split("/"))


def _send(request: Request, mask: Mask) -> bytes:
    """What was sent; its texts that prove who we are are masked whole, as each form of bodies writes them."""
    body, hidden = request.body, request.hidden
    if not hidden:
        return _body(body, mask)
    if request.kind in _PLAIN:
        return _body(_without(body.decode(errors="replace"), hidden).encode(), mask)
    try:
        value = decode_json(body)
    except JsonRefused:
        fields = [part.partition("=") for part in body.decode(errors="replace").split("&")]
        shown = (
            mask(name) + equals + (MASK if unquote_plus(text) in hidden else mask(text))
            for name, equals, text in fields
        )
        return "&".join(shown).encode()
    whole = _each(value, lambda one: (MASK if one in hidden else mask(one)) if isinstance(one, str) else one)
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _without(text: str, hidden: frozenset[str]) -> str:
    """A text without what is hidden, as it is or as XML writes it; the longest first, since one may hold another."""
    written = {form for one in hidden for form in (one, escape(one), escape(one, {'"': "&quot;"})) if form}
    for one in sorted(written, key=len, reverse=True):
        text = text.replace(one, MASK)
    return text


def _each(value: Json, change: Callable[[Json], Json]) -> Json:
    """JSON with all that is neither list nor object changed; keys stay."""
    if isinstance(value, dict):
        return {key: _each(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_each(inner, change) for inner in value]
    return change(value)


def _answer(response: Response, mask: Mask, *, tokens: bool) -> Response:
    """A provider's answer without secrets; its cookies are sessions that the gateway does not take up."""
    headers = {mask(name): MASK if name == "set-cookie" else mask(value) for name, value in response.headers.items()}
    return replace(
        response, headers=headers, body=_without_values(response.body) if tokens else _body(response.body, mask)
    )


def _without_values(body: bytes) -> bytes:
    """The keys of an answer, and none of its values: a token may be made of several, and is a secret from the start."""
    try:
        return json.dumps(_each(decode_json(body), lambda _value: MASK), ensure_ascii=False).encode()
    except JsonRefused:
        return MASK.encode()


def _body(body: bytes, mask: Mask) -> bytes:
    return mask(body.decode(errors="replace")).encode()
