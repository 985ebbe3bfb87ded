"""One attempt without its sending: the request that is made, what an answer means, and when to try again. No I/O.

Everything is judged by the status: the body of an answer is kept for the operator and never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from gateway.events.envelope import cloudevent
from gateway.store.deliveries.deliveries import DEAD, DELIVERED, LONGEST_WAIT, PENDING, ClaimedDelivery
from gateway.store.deliveries.subscriptions import Subscription
from gateway.values.errors import GatewayError, MappingFault, ProviderUnavailable
from gateway.values.http import retry_after
from gateway.values.messages import Request, Response
from gateway.values.secrets import Redactor, Secret
from gateway.webhooks.outbound.signing import PREFIX, key_of, signature_headers

USUAL: Final = (5.0, 300.0)
"""Seconds between one attempt and the next: three attempts in all."""
MOST_TRIES: Final = 20
"""Attempts of one delivery, whatever its schedule says."""
EXCERPT: Final = 1_024
"""Bytes kept of an answer."""
_BEYOND: Final = 1_024
"""Bytes read beyond, so that a secret that an excerpt would cut in two is known whole and masked."""
_SPREAD: Final = 0.1
"""By so much of itself a wait is longer or shorter, so that what failed together does not come back together."""
_CLOUDEVENTS: Final = "cloudevents"


@dataclass(frozen=True, slots=True)
class Answer:
    """How an attempt ended: one word, the status if any, and the seconds of pause asked for, a day at most.

    `why` says for the log what stood in the way of an answer; whoever chose the address never learns it.
    """

    outcome: str
    status: int | None = None
    pause: float | None = None
    excerpt: bytes = b""
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery is tried. Times are in seconds; `chance` gives numbers from 0 to below 1."""

    chance: Callable[[], float]
    schedule: Sequence[float] = USUAL
    most_age: float = 7 * 86_400.0
    """A delivery older than this is tried once more at most."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the delivery: its state, the seconds to wait while it is pending, and why it failed."""

    state: str
    wait: float = 0.0
    reason: str | None = None


def keys_of(endpoint: Subscription, now: int) -> list[bytes]:
    """Give the keys that hold now: the current one, and the one before until its time is over.

    Raises ValueError when a secret cannot sign.
    """
    former = endpoint.previous_secret
    if former is None or endpoint.previous_until is None or endpoint.previous_until <= now:
        return [key_of(endpoint.secret)]
    return [key_of(endpoint.secret), key_of(former)]


def request_of(claimed: ClaimedDelivery, keys: Iterable[bytes], now: int, timeout: float) -> Request:
    """Make the request of the next attempt, signed with these keys for now, milliseconds since 1970.

    The id and the body are the same bytes in every attempt. `timeout` is in seconds.
    """
    endpoint = claimed.endpoint
    as_cloudevent = endpoint.format == _CLOUDEVENTS
    body = cloudevent(claimed.body) if as_cloudevent else claimed.body
    return Request(
        "POST",
        endpoint.url,
        headers=(
            ("Content-Type", "application/cloudevents+json" if as_cloudevent else "application/json"),
            *signature_headers(claimed.event, now // 1000, body, keys),
            ("Gateway-Delivery", claimed.id),
            ("Gateway-Attempt", str(claimed.attempts + 1)),
        ),
        body=body,
        timeout=timeout,
        enough=EXCERPT + _BEYOND,
    )


def answer_of(response: Response, endpoint: Subscription, redactor: Redactor) -> Answer:
    """Say what an answer means. Of its body an excerpt is kept, without the gateway's secrets and the endpoint's."""
    status = response.status
    asks = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    pause = retry_after(response) if asks else None
    return Answer(_word(status), status, pause, _excerpt(response.body, endpoint, redactor))


def no_answer(failure: GatewayError) -> Answer:
    """Say how an attempt without an answer ended.

    One word for every way in which no connection was made: whoever chose the URL is not to learn from it which
    addresses and ports there are behind the gateway.
    """
    if isinstance(failure, MappingFault):
        return Answer("unsendable", why=_of_endpoint(failure.detail))
    if isinstance(failure, ProviderUnavailable) and not failure.sent:
        return Answer("no_connection", why=_of_endpoint(failure.detail))
    return Answer("timed_out" if failure.code == "PROVIDER_TIMEOUT" else "broken", why=_of_endpoint(failure.detail))


def _of_endpoint(words: str) -> str:
    """Say of a subscriber's endpoint what the client, which asks providers, says of whom it asks."""
    return words.replace("provider", "endpoint")


def judge(answer: Answer, claimed: ClaimedDelivery, now: int, patience: Patience) -> Verdict:
    """Say what becomes of a delivery after this answer. It is never sent earlier than the endpoint asked for."""
    if answer.outcome == "delivered":
        return Verdict(DELIVERED)
    what = answer.outcome if answer.status is None else f"{answer.outcome}, {answer.status}"
    schedule = patience.schedule if claimed.endpoint.schedule is None else claimed.endpoint.schedule
    tries = claimed.attempts + 1
    if tries > len(schedule) or tries >= MOST_TRIES:
        return Verdict(DEAD, reason=f"{what}: attempt {tries} was the last")
    if now - claimed.created_at > patience.most_age * 1000:
        return Verdict(DEAD, reason=f"{what}: it is too old to be tried again")
    wait = schedule[tries - 1] * (1 - _SPREAD + 2 * _SPREAD * patience.chance())
    return Verdict(PENDING, min(max(wait, answer.pause or 0.0), LONGEST_WAIT / 1000), what)


def _word(status: int) -> str:
    """Name a kind of status. An endpoint that redirects has moved: whoever owns it must say where to."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "delivered"
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return "redirected"
    if status == HTTPStatus.GONE:
        return "gone"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "limited"
    return "rejected" if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"


def _excerpt(body: bytes, endpoint: Subscription, redactor: Redactor) -> bytes:
    """Give the beginning of an answer, masked. What was cut off may end in half a secret: that end is not kept."""
    if not body:
        return b""
    known = [one for one in (endpoint.secret, endpoint.previous_secret) if one is not None]
    mine = Redactor([*known, *(Secret(one.reveal().removeprefix(PREFIX)) for one in known)])
    masked = mine.text(redactor.text(body.decode("utf-8", "replace"))).encode()
    whole = len(body) < EXCERPT + _BEYOND
    return masked[: EXCERPT if whole else min(EXCERPT, max(0, len(masked) - _BEYOND))]
