"""Calendars as feeds tell them: iCalendar (RFC 5545) read as plain entries."""

from __future__ import annotations

from gateway.mapping.codecs.calendars.feeds import MOST_DAYS, calendar_events
from gateway.mapping.codecs.calendars.lines import CalendarRefused

__all__ = ["MOST_DAYS", "CalendarRefused", "calendar_events"]
