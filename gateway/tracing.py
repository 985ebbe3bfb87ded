"""What a call did, exchange by exchange, for the operator: requests, answers, and what the mapping made of them.

Nothing here sends, decides or keeps anything. A Trace shows nothing before its call has ended: only then every secret
that the call met is known, a session's token that was renewed on the way among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gateway.errors import AnswerMismatch, GatewayError
from gateway.messages import Request, Response, Send
from gateway.observe import MASK, Redactor, Secret

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
class Matched:
    """The error rule that matched: its place `file:line`, its condition as the mapping writes it, the code it means."""

    origin: str
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Traced:
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
    rule: Matched | None
    error: str
    """What was wrong, in a sentence; a rule says it by its code alone."""
    waited: float
    """Seconds until it was its turn, as the rates of the mapping have it."""
    seconds: float
    """Seconds that the exchange itself took."""


@dataclass(slots=True)
class _Record:
    """An exchange as it goes on, nothing masked."""

    request: Request
    purpose: str
    attempt: int
    asked: float
    sent: float | None = None
    ended: float | None = None
    response: Response | None = None
    verdict: str = ""
    code: str = ""
    rule: Matched | None = None
    error: str = ""

    def settle(self, verdict: str, error: GatewayError | None = None) -> None:
        self.verdict = verdict
        if error is not None:
            self.code, self.error = error.code, error.detail


@dataclass(slots=True)
class Trace:
    """The trace of one call: made empty, handed to the engine, complete and masked when the engine is done."""

    exchanges: tuple[Traced, ...] = ()
    """In the order in which they were asked for."""
    error: str = ""
    """Why the call failed, in a sentence."""
    origin: str = ""
    """The place in the mapping, `file:line`, that the failure names."""
    _records: list[_Record] = field(default_factory=list, repr=False)
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
        self.exchanges = tuple(_shown(one, mask) for one in self._records)

    def add(self, record: _Record) -> None:
        """Take up an exchange that begins now."""
        self.learn()
        self._records.append(record)

    def learn(self) -> None:
        """Remember what is secret now: a token may be gone when the call ends, and still be in what was recorded."""
        self._secrets += [secret for secret in self._known() if secret not in self._secrets]


class Watch:
    """Watches one attempt at a step: its exchange, and the logins before it. Without a trace it only lets pass."""

    __slots__ = ("_attempt", "_clock", "_login", "_records", "_trace")

    def __init__(self, trace: Trace | None, clock: Callable[[], float], *, attempt: int, login: str) -> None:
        """`login` is the place of the scheme's login in the mapping, by which its requests are known."""
        self._trace = trace
        self._clock = clock
        self._attempt = attempt
        self._login = login
        self._records: list[_Record] = []

    def over(self, send: Send, paced: Callable[[Send], Send]) -> Send:
        """Wrap `send`, which `paced` holds to the rates, so that what goes over it is recorded."""
        trace = self._trace
        if trace is None:
            return paced(send)

        async def recording(request: Request) -> Response:
            record = self._begun(request)
            trace.add(record)

            async def going(request: Request) -> Response:
                record.sent = self._clock()
                return await send(request)

            try:
                record.response = await paced(going)(request)
            except GatewayError as error:
                record.settle(NO_ANSWER, error)
                raise
            finally:
                record.ended = self._clock()
                trace.learn()
            return record.response

        return recording

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
            last.rule = Matched(error.origin or "", error.rule, error.code)
        else:
            last.settle(UNREADABLE if _is_unreadable(error) else STATUS, error)

    def _begun(self, request: Request) -> _Record:
        """Begin a record. Another request in an attempt tells of the one before: a token was got, or was refused."""
        last = self._records[-1] if self._records else None
        purpose = CALL
        if self._login and request.origin == self._login:
            purpose = LOGIN if last is None else RENEWAL
        if last is not None and last.response is not None:
            last.settle(SESSION_REFUSED if last.purpose == CALL else SUCCESS)
        record = _Record(request, purpose, self._attempt, self._clock())
        self._records.append(record)
        return record


def _is_unreadable(error: GatewayError) -> bool:
    """Whether the answer itself was at fault; of a login, this is told by the cause."""
    return isinstance(error, AnswerMismatch) or isinstance(error.__cause__, AnswerMismatch)


def _shown(record: _Record, mask: Callable[[str], str]) -> Traced:
    """An exchange as it may be seen."""
    request, response, ended = record.request, record.response, record.ended
    began = record.sent if record.sent is not None else ended
    # A login whose answer nobody has read yet may hold a token that nobody knows yet.
    unknown = record.purpose != CALL and not record.verdict
    return Traced(
        step=request.step,
        origin=request.origin,
        purpose=record.purpose,
        attempt=record.attempt,
        request=replace(
            request,
            url=mask(request.url),
            query=tuple((mask(name), mask(value)) for name, value in request.query),
            headers=tuple((mask(name), mask(value)) for name, value in request.headers),
            body=_body(request.body, mask),
        ),
        response=None if response is None else _answer(response, mask, unknown=unknown),
        verdict=record.verdict or (NO_ANSWER if response is None else UNREAD),
        code=record.code,
        rule=record.rule,
        error=mask(record.error),
        waited=0.0 if began is None else began - record.asked,
        seconds=0.0 if began is None or ended is None else ended - began,
    )


def _answer(response: Response, mask: Callable[[str], str], *, unknown: bool) -> Response:
    """A provider's answer without secrets; its cookies are sessions that the gateway does not take up."""
    headers = {mask(name): MASK if name == "set-cookie" else mask(value) for name, value in response.headers.items()}
    return replace(response, headers=headers, body=MASK.encode() if unknown else _body(response.body, mask))


def _body(body: bytes, mask: Callable[[str], str]) -> bytes:
    return mask(body.decode(errors="replace")).encode()
