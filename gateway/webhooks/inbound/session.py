"""One request to one hook, from its bytes to what its sender is answered: proved, read, fetched, answered. Pure.

The inbound door and the player of golden examples both go this way, so that an example shows what runs. Nothing here
sends, stores, looks at a clock or writes a log: the moment, the connection with its keys, the fetch and what a
marketplace is given are handed in, and everything that may end a message is a value, so that nobody decides it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gateway.engine.catalog import Connection
from gateway.mapping.nodes.hooks import IGNORE, EventHook, Hook, RequestHook, RequestPlan, is_proved_by_fetch
from gateway.mapping.nodes.verification import VerifyPlan
from gateway.mapping.runtime.hook_messages import answering, is_equal, is_forged, to_messages, to_reply
from gateway.mapping.runtime.hook_requests import to_answer, to_asked
from gateway.model.model import Model
from gateway.model.telling import code_of
from gateway.values.errors import (
    AnswerMismatch,
    CallInvalid,
    GatewayError,
    MappingFault,
    NotMapped,
    ProviderUnavailable,
    SignatureInvalid,
)
from gateway.values.messages import Json, MarketplaceRequest, Message, Received, Response
from gateway.webhooks.inbound.challenges import ChallengeAnswer
from gateway.webhooks.inbound.verify import glance, verify

AGAIN_SECONDS: Final = 30.0
"""When a message shall come again whose object cannot be fetched, where the provider does not say it."""
_UNAVAILABLE: Final = 503
"""What a marketplace is told that shall ask again, whatever stood in the way: of what is behind us it knows nothing."""
_NO_CONTENT: Final = 204
_UNEQUAL: Final = "what must be equal in it is not"

Fetch = Callable[[str, Mapping[str, Json]], Awaitable[Json]]
"""Runs a canonical operation with these arguments and gives its data; raises GatewayError."""


@dataclass(frozen=True, slots=True)
class Question:
    """A proved message that asks for something: the ask that fitted, and the canonical request."""

    ask: RequestPlan
    asked: MarketplaceRequest


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """One message with what names it, its object, and why it cannot be read if it cannot.

    `key` is the name without what was fetched: the one by which a message is known whose fetch could not be read.
    """

    key: str
    name: str
    message: Message | None
    data: Mapping[str, Json] | None = None
    failure: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class HookMessages:
    """The messages of a request to a hook that tells of events."""

    hook: EventHook
    messages: tuple[ReadMessage, ...]


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A request of which nothing is kept. `error` is what its sender is told, `reason` what our own log is.

    `cause` is the error behind it, where there is one: why the body of what nobody has proved cannot be read, or why
    an object cannot be fetched now. With `waits` the message shall come again.
    """

    error: GatewayError
    reason: str
    cause: GatewayError | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class DefaultAnswer:
    """The gateway's own words for an error of which the mapping says nothing, with the status that they have.

    With `again` a marketplace is told to ask again.
    """

    status: int
    again: bool


def hook_of(connection: Connection, name: str, method: str) -> Hook | RefusedMessage:
    """Give the hook that a request names, by a method (in capitals) that it takes."""
    plan = connection.provider.hooks.get(name)
    if plan is None:
        return RefusedMessage(
            SignatureInvalid(""), "the path names no hook", NotMapped(f"There is no hook `{name}` here.")
        )
    if method not in plan.methods:
        return RefusedMessage(SignatureInvalid(""), "the method is another")
    return plan


@dataclass(frozen=True, slots=True)
class Session:
    """One request to one hook of a connection, and what is handed in of the world around it.

    `at` is in milliseconds since 1970, `url` the hook's public URL as it is configured. With `recorded` a message is
    held only to the proofs that it carries: recordings often leave them out, and the door never does.
    """

    plan: Hook
    connection: Connection
    received: Received
    at: int
    url: str
    model: Model
    recorded: bool = False

    @property
    def scope(self) -> dict[str, Json]:
        """What templates of a hook see of a connection, at this moment."""
        return {**self.connection.scope, "now": moment(self.at)}

    def glance(self) -> bool | RefusedMessage:
        """Tell whether a message is proved by what came before its body, which is not read yet.

        False says only that the body may still prove it.
        """
        seen = glance(self._blocks(), self.received, self.connection.revealed, self.at / 1000, self.url)
        return RefusedMessage(SignatureInvalid(""), seen.reason) if seen.reason else seen.proved

    async def take(self, fetch: Fetch) -> ChallengeAnswer | Question | HookMessages | RefusedMessage:
        """Go the whole way to what a request comes to: an answer to a challenge, a question, messages, or a refusal."""
        revealed = self.connection.revealed
        now = self.at / 1000
        verdict = verify(self._blocks(), self.received, revealed, now, self.url, recorded=self.recorded)
        if not verdict.accepted:
            return RefusedMessage(SignatureInvalid(""), verdict.reason)
        if verdict.answer is not None:
            return verdict.answer
        if isinstance(self.plan, RequestHook):
            return self._question(self.plan)
        return await self.messages(self.plan, fetch)

    async def messages(self, plan: EventHook, fetch: Fetch) -> HookMessages | RefusedMessage:
        """Read the messages of a request that is proved, and fetch what they only name."""
        received, scope = self.received, self.scope
        try:
            equal = is_equal(plan, received, scope)
            named = to_messages(plan, received, scope) if equal else []
        except (AnswerMismatch, MappingFault) as error:
            if plan.forged is not None:  # nobody has proved it: nothing of it is kept
                return RefusedMessage(SignatureInvalid(""), error.detail, error)
            return HookMessages(plan, (ReadMessage(whole_name(received), whole_name(received), None, failure=error),))
        if not equal:
            return RefusedMessage(SignatureInvalid(""), _UNEQUAL)
        found = []
        for name, message in named:
            one = await self._fetch(plan, name, message, fetch)
            if isinstance(one, RefusedMessage):
                return one
            found.append(one)
        return HookMessages(plan, tuple(found))

    def answer(self, question: Question, given: Mapping[str, Json]) -> Response:
        """Build the answer to a question of what it is given. Raises MappingFault where a template of it fails."""
        return to_answer(question.ask, question.asked, given, self.scope)

    def taken(self) -> Response:
        """Give the answer to messages that were taken. Raises MappingFault where a template of it fails."""
        return to_reply(self.plan, None, self.scope) or Response(_NO_CONTENT, {}, b"")

    def reply(self, error: GatewayError) -> Response | DefaultAnswer:
        """Give the answer to an error. Raises MappingFault where a template of it fails."""
        again = self._again(error)
        told = to_reply(self.plan, error.code, self.scope, again=again)
        if told is not None:
            return told
        asks_again = again and isinstance(self.plan, RequestHook)
        return DefaultAnswer(_UNAVAILABLE if asks_again else code_of(error, self.model).status, asks_again)

    def row(self, error: GatewayError) -> str:
        """Name the row of `replies` that answers an error; empty where none does."""
        return answering(self.plan, error.code, again=self._again(error))

    def _again(self, error: GatewayError) -> bool:
        """Whether a message shall come again after this error."""
        return self.model.errors[error.code].retryable

    def _blocks(self) -> Sequence[VerifyPlan]:
        """What a message must prove. Where a fetch is proof enough, only what this connection has of the rest."""
        plan = self.plan
        if not is_proved_by_fetch(plan):
            return plan.verify
        revealed, method = self.connection.revealed, self.received.method
        return tuple(block for block in plan.verify if block.applies(revealed, method))

    def _question(self, plan: RequestHook) -> Question | RefusedMessage:
        """Read what a message asks for: the log knows where the mapping could not, its sender what to change."""
        scope = self.scope
        try:
            found = Question(*to_asked(plan, self.received, scope))
            equal = is_equal(plan, self.received, scope)
        except CallInvalid as invalid:
            cause = invalid.__cause__
            told = cause.detail if isinstance(cause, MappingFault) else f"{invalid.origin}: {invalid.detail}"
            return RefusedMessage(invalid, told)
        except (AnswerMismatch, MappingFault) as failed:
            return RefusedMessage(failed, failed.detail)
        return found if equal else RefusedMessage(SignatureInvalid(""), _UNEQUAL)

    async def _fetch(self, plan: EventHook, name: str, message: Message, fetch: Fetch) -> ReadMessage | RefusedMessage:
        """Give a message its object. What the provider will not show to whoever knows its secret is forged."""
        if message.fetch is None or message.type == IGNORE:
            return ReadMessage(name, name, message, message.data)
        try:
            data = await fetch(*message.fetch)
        except AnswerMismatch as error:  # the provider has shown it: it is no forgery, and the mapping must be mended
            return ReadMessage(name, name, message, failure=error)
        except GatewayError as error:
            if is_forged(plan, error):
                return RefusedMessage(SignatureInvalid(""), f"the fetch that proves it says {error.code}")
            return _waits(error)
        told = json.dumps(data, sort_keys=True, ensure_ascii=True)
        return ReadMessage(name, f"{name} {told}", message, data)


def _waits(error: GatewayError) -> RefusedMessage:
    """Have a message come again whose object cannot be fetched now."""
    wait = error.retry_after if error.retry_after is not None else AGAIN_SECONDS
    text = "The object of the message cannot be fetched now."
    told = ProviderUnavailable(text, sent=False, retry_after=wait)
    told.__cause__ = error
    return RefusedMessage(told, error.explanation, error, waits=True)


def moment(at: int) -> str:
    """Write milliseconds since 1970 as templates see `now`."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")


def whole_name(received: Received) -> str:
    """Name a message that cannot be read by all of its body."""
    return f"body {hashlib.sha256(received.body).hexdigest()}"
