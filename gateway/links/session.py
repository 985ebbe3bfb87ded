"""One piece of work for a link: what it is about, for whom, until when, and the club that is asked."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.links.club import Club
from gateway.links.context import LinkContext, RequestScope
from gateway.links.link import BookingRequest, Link


@dataclass(frozen=True, slots=True)
class Session:
    """A turn of the link's own work, or a request of its marketplace that is about no booking."""

    context: LinkContext
    link: Link
    club: Club

    @property
    def asking(self) -> RequestScope:
        """For whom and until when the club is asked."""
        return self.club.asking


@dataclass(frozen=True, slots=True)
class BookingSession(Session):
    """A request of a marketplace to book one slot or to cancel it."""

    request: BookingRequest


def session_of(context: LinkContext, link: Link, asking: RequestScope) -> Session:
    """Begin a piece of work."""
    return Session(context, link, Club(context, link, asking))


def booking_session(session: Session, request: BookingRequest) -> BookingSession:
    """Give the session of a request that has been checked."""
    return BookingSession(session.context, session.link, session.club, request)
