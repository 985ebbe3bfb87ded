"""Which attempts are made again and when, in a time that does not pass by itself."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transport.retry import Patience, repeat
from gateway.values.errors import AnswerMismatch, OutcomeUnknown, ProviderRejected, ProviderUnavailable, TooManyCalls
from gateway.values.messages import Effect

REFUSED = ProviderUnavailable("refused", sent=False)
RESET = ProviderUnavailable("reset", sent=True)
SLOW = ProviderUnavailable("slow", sent=True, timed_out=True)
BUSY = ProviderUnavailable("busy", sent=True, status=503)
BROKEN = ProviderUnavailable("broken", sent=True, status=500)
LIMITED = TooManyCalls("limited")


class Attempts:
    """Ends each attempt with the next of `ends`: an error, or the number of the attempt; notes when each was made."""

    def __init__(self, *ends):
        self.ends = list(ends)
        self.made = []

    async def __call__(self):
        self.made.append(asyncio.get_running_loop().time())
        end = self.ends.pop(0) if self.ends else None
        if end is not None:
            raise end
        return len(self.made)

    async def repeat(self, effect=Effect.SAFE, *, deadline=25.0, chance=0.5, retries=2):
        clock = asyncio.get_running_loop().time
        return await repeat(self, effect, deadline, Patience(clock, asyncio.sleep, lambda: chance, retries))


@pytest.mark.parametrize("failure", [REFUSED, RESET, SLOW, BUSY, BROKEN], ids=str)
def test_a_safe_call(virtual, failure):
    """What changes nothing is asked again after every failure that may pass, twice at most."""
    assert 2 == virtual(Attempts(failure).repeat())
    assert 3 == virtual(Attempts(failure, failure).repeat())
    attempts = Attempts(failure, failure, failure)
    with pytest.raises(ProviderUnavailable, match=failure.detail):
        virtual(attempts.repeat())
    assert 3 == len(attempts.made)


@pytest.mark.parametrize(
    ("effect", "failure"),
    [
        (Effect.SAFE, LIMITED),
        (Effect.SAFE, ProviderRejected("no", code="RATE_LIMITED")),
        (Effect.SAFE, AnswerMismatch("unreadable")),
        (Effect.IDEMPOTENT, RESET),
        (Effect.IDEMPOTENT, SLOW),
        (Effect.IDEMPOTENT, BUSY),
        (Effect.UNSAFE, REFUSED),
        (Effect.UNSAFE, RESET),
        (Effect.UNSAFE, BUSY),
        (Effect.UNSAFE, OutcomeUnknown("lost")),
    ],
)
def test_never(virtual, effect, failure):
    """An answer is an answer; what may have been done is not done again, and what writes not even when it was not."""
    attempts = Attempts(failure)
    with pytest.raises(type(failure)):
        virtual(attempts.repeat(effect))
    assert [0.0] == attempts.made


def test_an_idempotent_call(virtual):
    """What may be repeated without harm is, as long as nothing of it was sent."""
    assert 2 == virtual(Attempts(REFUSED).repeat(Effect.IDEMPOTENT))
    attempts = Attempts(REFUSED, RESET)
    with pytest.raises(ProviderUnavailable, match="reset"):
        virtual(attempts.repeat(Effect.IDEMPOTENT))
    assert 2 == len(attempts.made)


@pytest.mark.parametrize(("chance", "expected"), [(0.0, [0, 0.125, 0.375]), (0.5, [0, 0.1875, 0.5625])])
def test_pauses(virtual, chance, expected):
    """Each pause is twice the one before, half of it by chance."""
    attempts = Attempts(BUSY, BUSY)
    virtual(attempts.repeat(chance=chance))
    assert expected == attempts.made


def test_as_long_as_asked(virtual):
    """A provider that says when to come back is not asked earlier."""
    attempts = Attempts(ProviderUnavailable("busy", sent=True, status=503, retry_after=4.0))
    assert 2 == virtual(attempts.repeat())
    assert [0.0, 4.0] == attempts.made


@pytest.mark.parametrize(("deadline", "made"), [(0.1, 1), (0.1875, 1), (0.2, 2), (0.5, 2), (0.6, 3)])
def test_inside_the_deadline(virtual, deadline, made):
    """A repetition that would begin when the time is over is not waited for."""
    attempts = Attempts(BUSY, BUSY, BUSY)
    with pytest.raises(ProviderUnavailable):
        virtual(attempts.repeat(deadline=deadline))
    assert made == len(attempts.made)


def test_what_the_provider_did(virtual):
    """When the gateway's own limits leave no room for a repetition, the failure is told and not the limit."""
    with pytest.raises(ProviderUnavailable, match="busy"):
        virtual(Attempts(BUSY, LIMITED).repeat())


def test_none_means_none(virtual):
    """Zero repetitions are zero."""
    attempts = Attempts(BUSY)
    with pytest.raises(ProviderUnavailable):
        virtual(attempts.repeat(retries=0))
    assert 1 == len(attempts.made)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([REFUSED, RESET, SLOW, BUSY, BROKEN, LIMITED, None]), max_size=6),
    st.sampled_from(Effect),
    st.floats(0, 0.999),
    st.floats(0, 2),
    st.integers(0, 3),
)
def test_laws(virtual, ends, effect, chance, deadline, retries):
    """Never more attempts than allowed, none from the deadline on, and a write has one."""
    attempts = Attempts(*ends)

    async def scenario():
        try:
            await attempts.repeat(effect, deadline=deadline, chance=chance, retries=retries)
        except (ProviderUnavailable, TooManyCalls):
            return

    virtual(scenario())
    assert 1 <= len(attempts.made) <= (1 if effect is Effect.UNSAFE else 1 + retries)
    assert all(time < deadline for time in attempts.made[1:])
