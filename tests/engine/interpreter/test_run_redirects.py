"""Redirects: followed by nobody, explained by the mapping, and of a write in doubt where nothing explains them."""

import pytest

from gateway.values.errors import GatewayError

BOOKED = {"data": {"id": 7, "court": "c1", "start": "2026-03-19 09:00", "end": "2026-03-19 10:00"}}

BOOKINGS = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm: {call: {post: "/b/{{ args.id }}/confirm"}, result: {run: bookings.get}}
"""


@pytest.mark.parametrize(
    ("status", "code"),
    [(300, "OUTCOME_UNKNOWN"), (301, "OUTCOME_UNKNOWN"), (302, "OUTCOME_UNKNOWN"), (303, "OUTCOME_UNKNOWN"),
     (304, "OUTCOME_UNKNOWN"), (307, "PROVIDER_ERROR"), (308, "PROVIDER_ERROR")],
)  # fmt: skip
async def test_redirected(club, answered, status, code):
    """A redirect that nothing explains leaves a write in doubt, unless it wants the same request elsewhere."""
    with pytest.raises(GatewayError) as caught:
        await club(BOOKINGS, answered("moved", status, location="/x")).run("bookings.confirm", id="7")
    assert code == caught.value.code
    with pytest.raises(GatewayError) as caught:  # what reads is in no doubt
        await club(BOOKINGS, answered("moved", status)).run("bookings.get", id="7")
    assert ("PROVIDER_ERROR", {}) == (caught.value.code, caught.value.details)


REDIRECTED = """
operations:
  bookings.get: {call: {get: "/b/{{ args.id }}"}, result: {at: data, record: booking}}
  bookings.confirm:
    errors:
      - {status: 302, header: {Location: "/login"}, is: PROVIDER_AUTH_FAILED}
      - {status: [302, 303], header: {Location: "error="}, is: BOOKING_NOT_ALLOWED,
         details: {why: "{{ split(headers.location, '=')[1] }}", was: "{{ status }}"}}
    steps:
      - name: said
        call: {post: "/b/{{ args.id }}/confirm", success: {status: [200, 303], header: {Location: "^/b/"}}, whole: true}
        keep: "{id: headers.location, status: status, body: body}"
    result: {run: bookings.get, with: {id: "{{ after(said.id, '/b/') }}"}}
"""


async def test_redirect_explained(club, answered):
    """A mapping says what a redirect means: a success whose Location is read, or a refusal."""
    made = club(REDIRECTED, answered("See Other", 303, location="/b/9"), BOOKED)
    await made.run("bookings.confirm", id="7")
    assert ["POST /b/7/confirm", "GET /b/9"] == made.sent
    for location, code, details in (
        ("/login", "PROVIDER_AUTH_FAILED", {}),
        ("/form?error=full", "BOOKING_NOT_ALLOWED", {"why": "full", "was": 302}),
        ("/elsewhere", "OUTCOME_UNKNOWN", {"reconcile_with": "bookings.get"}),
    ):
        with pytest.raises(GatewayError) as caught:
            await club(REDIRECTED, answered({}, 302, location=location)).run("bookings.confirm", id="7")
        assert (code, details) == (caught.value.code, caught.value.details)
