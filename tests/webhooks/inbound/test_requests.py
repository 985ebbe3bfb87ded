"""What asks for something, once verified: handed on and never stored; and letters whose hook has come to ask."""

import pytest

from gateway.values.errors import CallInvalid, NotMapped, SignatureInvalid
from gateway.values.messages import MarketplaceRequest, Received
from gateway.webhooks.inbound.receiver import Delivery
from gateway.webhooks.inbound.requests import answer_request
from gateway.webhooks.inbound.session import Question
from tests.asked import NOW, TOKEN, market, order, serve_market
from tests.hooked import batch, courts

__all__ = ["market", "serve_market"]

ASKING = """    requests:
      - {request: availability.requested, reply: {status: 200}}
"""


def delivery(market, body=b"", *, method="POST", token=TOKEN, query=()):
    """Make the delivery of a message to the calendar."""
    plan = market.connection.provider.hooks["calendar"]
    received = Received(method, token, tuple(query), (), body)
    return Delivery(market.connection, plan, received, NOW, "", "r1", 10.0)


async def test_a_question(market):
    """A verified message that asks gives what it asks for and the ask that fitted, and nothing is stored."""
    found = await market.dependencies.receiver.receive(delivery(market, method="GET", query=[("days", "3")]))
    assert isinstance(found, Question)
    assert MarketplaceRequest("availability.requested", {"days": 3}) == found.asked
    assert 200 == found.ask.reply.status
    assert 0 == await market.kept()


async def test_refused(market):
    """What is not verified is refused before it is read; what cannot be read then is the sender's to change."""
    inbound = market.dependencies.receiver
    for body in (order(), b"{"):
        with pytest.raises(SignatureInvalid):
            await inbound.receive(delivery(market, body, token="another"))
    with pytest.raises(CallInvalid, match="cannot be read"):
        await inbound.receive(delivery(market, b"{"))
    assert 0 == await market.kept()


async def test_nobody_answers(market):
    """Where nothing is sold, whoever asks is told so."""
    inbound, asking = market.dependencies.receiver, delivery(market, order())
    found = await inbound.receive(asking)
    with pytest.raises(NotMapped, match="No link sells"):
        await answer_request(inbound.session(asking), found, None, "r1", 10.0)


async def test_a_letter_whose_hook_asks_now(gate, tmp_path):
    """A dead letter of a hook that has come to ask is no message any more: it stays what it was."""
    body, headers = batch(("b1", "new", {"start": "someday"}))
    await gate.post("/hooks/yard/signed", body, headers=headers)
    (letter,) = await gate.receipts()
    assert "dead" == letter.state
    courts(tmp_path)
    telling = (tmp_path / "courts.yaml").read_text(encoding="utf-8")
    events = telling[telling.index("    rows: bookings") : telling.index("\nauth:")]
    gate.mend(courts(tmp_path, (events, ASKING)))
    with pytest.raises(NotMapped, match="no hook"):
        await gate.replay(letter.id)
    assert ["dead"] == [one.state for one in await gate.receipts()]
