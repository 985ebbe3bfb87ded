"""What can be seen of the gateway at work: log lines and request ids, every secret masked.

The only place that names events. Nothing here decides anything, and nothing here may let a secret through.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TextIO

from gateway.telemetry.lines import JsonLines, LineHandler
from gateway.values.messages import Json
from gateway.values.secrets import Redactor

_LOGGER = logging.getLogger("gateway")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def start_logging(stream: TextIO, redactor: Redactor, *, level: int = logging.INFO) -> None:
    """Send every log record of the process, ours and the libraries', to `stream` as JSON lines."""
    handler = LineHandler(stream)
    handler.setFormatter(JsonLines(redactor))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # No line tells the thread, process or task of a record, and looking them up takes half of what a record costs.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    _LOGGER.setLevel(level)
    # It writes the raw bytes of requests that are no HTTP, and these may hold keys.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


def request_id(offered: str | None, fresh: str) -> str:
    """Give the id a caller sent, if it is 1 to 64 letters, digits, `.`, `_` or `-`; else the `fresh` one."""
    return offered if offered is not None and _REQUEST_ID.fullmatch(offered) else fresh


def started(*, url: str, connections: Iterable[str], catalog: str) -> None:
    """Tell that the gateway listens, and with which catalog version."""
    _event(logging.INFO, "started", url=url, connections=sorted(connections), catalog=catalog)


def store_in_memory() -> None:
    """Tell that the store is in memory: what is remembered is lost at the end."""
    _event(logging.WARNING, "store.in_memory", reason="what is remembered is lost at the end: `store` keeps it")


def stopped() -> None:
    """Tell that the gateway has answered its last call."""
    _event(logging.INFO, "stopped")


def call_done(
    *, request: str, caller: str, connection: str, operation: str, status: int, code: str | None, seconds: float
) -> None:
    """Tell how a caller's call ended: the status given, and the error code if it failed."""
    _event(
        logging.INFO if code is None else logging.WARNING,
        "call.done",
        request=request,
        caller=caller,
        connection=connection,
        operation=operation,
        status=status,
        code=code,
        seconds=round(seconds, 4),
    )


def provider_answered(*, request: str, connection: str, method: str, host: str, status: int, seconds: float) -> None:
    """Tell that a provider answered one attempt. The path is left out: vendors put keys and names into it."""
    _event(
        logging.INFO,
        "provider.answered",
        request=request,
        connection=connection,
        method=method,
        host=host,
        status=status,
        seconds=round(seconds, 4),
    )


def provider_failed(*, request: str, connection: str, method: str, host: str, reason: str) -> None:
    """Tell that one attempt got no answer, and why in one sentence."""
    about = {"request": request, "connection": connection, "method": method, "host": host}
    _event(logging.WARNING, "provider.failed", **about, reason=reason)


def login_refused(*, connection: str, reason: str, seconds: float) -> None:
    """Tell that a provider refused the credentials of a connection, and for how long it is left alone."""
    _event(logging.ERROR, "login.refused", connection=connection, reason=reason, seconds=seconds)


def login_ended(*, connection: str, reason: str | None = None) -> None:
    """Tell that a person has logged in for a connection; with a reason, that it failed."""
    level = logging.INFO if reason is None else logging.WARNING
    _event(level, "login.ended", connection=connection, **({} if reason is None else {"reason": reason}))


def tokens_not_kept(*, connection: str, reason: str) -> None:
    """Tell that a session was renewed and could not be kept: it is tried again, and lost if the gateway ends first."""
    _event(logging.ERROR, "tokens.not_kept", connection=connection, reason=reason)


def mapping_failed(*, request: str, connection: str, operation: str, origin: str, reason: str) -> None:
    """Tell that an answer did not fit a mapping, or a mapping failed: where, and what was wanted; never a value."""
    _event(
        logging.ERROR,
        "mapping.failed",
        request=request,
        connection=connection,
        operation=operation,
        origin=origin,
        reason=reason,
    )


def row_left_out(*, request: str, connection: str, operation: str, origin: str, reason: str) -> None:
    """Tell that a row was left out of a caller's list, since it does not fit: which one and why; never a value."""
    about = {"request": request, "connection": connection, "operation": operation}
    _event(logging.ERROR, "row.left_out", **about, origin=origin, reason=reason)


def list_incomplete(*, request: str, connection: str, operation: str, origin: str, reason: str) -> None:
    """Tell that a provider has more of a list than it told, and by which line of the mapping that is seen."""
    about = {"request": request, "connection": connection, "operation": operation}
    _event(logging.WARNING, "list.incomplete", **about, origin=origin, reason=reason)


def event_missed(*, request: str, connection: str, operation: str, reason: str) -> None:
    """Tell that what a call did could not be stored as an event; a poll or a webhook may tell it later."""
    about = {"request": request, "connection": connection, "operation": operation}
    _event(logging.ERROR, "event.missed", **about, reason=reason)


def hook_received(*, request: str, connection: str, hook: str, state: str, receipt: str, events: int) -> None:
    """Tell that a message is stored: `mapped`, `ignored`, `dead` or `repeated`, and how many events it means."""
    _event(
        logging.INFO,
        "hook.received",
        request=request,
        connection=connection,
        hook=hook,
        state=state,
        receipt=receipt,
        events=events,
    )


def hook_refused(*, request: str, connection: str, hook: str, reason: str) -> None:
    """Tell why a message to a hook is not accepted, and where the mapping could not read it; its sender learns less."""
    _event(logging.WARNING, "hook.refused", request=request, connection=connection, hook=hook, reason=reason)


def hook_waits(*, request: str, connection: str, hook: str, reason: str) -> None:
    """Tell why the object of a message cannot be fetched now: its sender is asked to send it again."""
    _event(logging.WARNING, "hook.waits", request=request, connection=connection, hook=hook, reason=reason)


def hook_dead(*, request: str, connection: str, hook: str, receipt: str, origin: str, reason: str) -> None:
    """Tell that a verified message does not fit the mapping: it is kept, and can be replayed once that is mended."""
    _event(
        logging.ERROR,
        "hook.dead",
        request=request,
        connection=connection,
        hook=hook,
        receipt=receipt,
        origin=origin,
        reason=reason,
    )


def pruned(*, events: int, receipts: int, bookings: int) -> None:
    """Tell what was removed because it was too old or too much."""
    _event(logging.INFO, "store.pruned", events=events, receipts=receipts, bookings=bookings)


def rate_limiter_degraded(*, reason: str, seconds: float) -> None:
    """Tell that the shared store of rates is out of reach: for so long each gateway keeps to the rates by itself."""
    _event(logging.WARNING, "rate_limiter.degraded", reason=reason, seconds=seconds)


def subscription_narrowed(*, subscription: str) -> None:
    """Tell that a subscription hears of fewer connections, or of none: its owner may read no more than that."""
    _event(logging.WARNING, "subscription.narrowed", subscription=subscription)


def replay_done(*, job: str, total: int, counts: Mapping[str, int]) -> None:
    """Tell that all deliveries of a replay are delivered or given up."""
    _event(logging.INFO, "replay.done", job=job, total=total, **counts)


def worker_paused(*, loop: str, reason: str) -> None:
    """Tell that a loop of the gateway cannot work now; it goes on by itself once it can."""
    _event(logging.WARNING, "worker.paused", loop=loop, reason=reason)


def worker_crashed(*, loop: str, times: int, seconds: float, error: BaseException) -> None:
    """Tell of a defect of ours in a loop, with its trace: the how many-th in a row, and when the loop goes on."""
    trace = (type(error), error, error.__traceback__)
    fields = {"loop": loop, "times": times, "seconds": round(seconds, 1)}
    _LOGGER.error("worker.crashed", exc_info=trace, extra={"fields": fields})


def processes_dead(*, count: int) -> None:
    """Tell that other gateways on the store are dead, and that what they had in hand was given back."""
    _event(logging.WARNING, "process.dead", count=count)


def process_paused(*, process: str) -> None:
    """Tell that this gateway stood still for so long that others took it for dead; it goes on with new work."""
    _event(logging.WARNING, "process.paused", process=process)


def admin_replayed(*, request: str, job: str, what: Mapping[str, Json], total: int) -> None:
    """Tell that the operator had events sent again."""
    _event(logging.INFO, "admin.replayed", request=request, job=job, what=dict(what), total=total)


def admin_cancelled(*, request: str, job: str) -> None:
    """Tell that the operator ended a replay."""
    _event(logging.INFO, "admin.cancelled", request=request, job=job)


def admin_resynced(*, request: str, link: str) -> None:
    """Tell that the operator had a marketplace told everything anew."""
    _event(logging.INFO, "admin.resynced", request=request, link=link)


def admin_revoked(*, request: str, feed: str) -> None:
    """Tell that the operator ended a calendar feed."""
    _event(logging.INFO, "admin.revoked", request=request, feed=feed)


def admin_enabled(*, request: str, subscription: str) -> None:
    """Tell that the operator had a consumer of the configuration sent to again."""
    _event(logging.INFO, "admin.enabled", request=request, subscription=subscription)


def admin_read_payload(*, request: str, receipt: str) -> None:
    """Tell that the operator was shown what a provider had sent, personal data among it."""
    _event(logging.INFO, "admin.read_payload", request=request, receipt=receipt)


def admin_reread(*, request: str, receipt: str, settled: bool) -> None:
    """Tell that the operator had a dead letter read again, and whether its events are stored now."""
    _event(logging.INFO, "admin.reread", request=request, receipt=receipt, settled=settled)


def answer_incomplete(*, host: str, status: int) -> None:
    """Tell that an answer of which the status is enough broke off in its body, or took too long."""
    _event(logging.INFO, "answer.incomplete", host=host, status=status)


def delivery_tried(*, state: str, **fields: Json) -> None:
    """Tell how an attempt ended and what became of the delivery; of the endpoint only its subscription is named."""
    level = {"delivered": logging.INFO, "dead": logging.ERROR}.get(state, logging.WARNING)
    _event(level, f"delivery.{state}", **fields)


def delivery_late(*, delivery: str, attempt: int, outcome: str) -> None:
    """Tell that an attempt ended after its lease was lost or its delivery was cancelled: its result does not count."""
    _event(logging.WARNING, "delivery.late", delivery=delivery, attempt=attempt, outcome=outcome)


def delivery_paused(*, subscription: str, seconds: float) -> None:
    """Tell that an endpoint asked for a pause: nothing is sent to it for so long."""
    _event(logging.WARNING, "delivery.paused", subscription=subscription, seconds=seconds)


def delivery_disabled(*, subscription: str, reason: str) -> None:
    """Tell that nothing more is sent to an endpoint, and why. Its operator must act."""
    _event(logging.ERROR, "delivery.disabled", subscription=subscription, reason=reason)


def delivery_clock(*, seconds: float) -> None:
    """Tell that the clock was put forward or back by so much."""
    _event(logging.WARNING, "delivery.clock", seconds=round(seconds, 1))


def crashed(*, request: str, error: BaseException) -> None:
    """Tell of a defect of ours, with its trace; the caller is shown the request id alone."""
    trace = (type(error), error, error.__traceback__)
    _LOGGER.error("crashed", exc_info=trace, extra={"fields": {"request": request}})


def polling_done(*, connection: str, listed: int, events: int, baseline: bool) -> None:
    """Tell that a poll told events, began to poll, or works again after it failed."""
    _event(logging.INFO, "polling.done", connection=connection, listed=listed, events=events, baseline=baseline)


def polling_incomplete(*, connection: str, listed: int) -> None:
    """Tell that a poll was told a part of the list (`list.incomplete` says why): nobody counts as gone by it."""
    _event(logging.WARNING, "polling.incomplete", connection=connection, listed=listed)


def polling_failed(*, connection: str, reason: str, seconds: float) -> None:
    """Tell that a poll failed and changed nothing, and in how many seconds it is tried again."""
    _event(logging.WARNING, "polling.failed", connection=connection, reason=reason, seconds=round(seconds))


def link_answered(*, request: str, link: str, asked: str, outcome: str) -> None:
    """Tell how a marketplace's request was answered: `done`, or the code of the error."""
    _event(logging.INFO, "link.answered", request=request, link=link, asked=asked, outcome=outcome)


def link_booking(*, link: str, entry: str, state: str, booking: str | None) -> None:
    """Tell where a marketplace's booking stands now."""
    _event(logging.INFO, "link.booking", link=link, entry=entry, state=state, booking=booking)


def link_pushed(*, link: str, slots: int, refused: int) -> None:
    """Tell how many slots a marketplace took, and how many it did not."""
    _event(logging.WARNING if refused else logging.INFO, "link.pushed", link=link, slots=slots, refused=refused)


def link_failed(*, link: str, what: str, reason: str, seconds: float) -> None:
    """Tell that the club was not read, or the marketplace not told, and in how many seconds it is tried again."""
    _event(logging.WARNING, "link.failed", link=link, what=what, reason=reason, seconds=round(seconds))


def link_attention(*, link: str, entry: str, reason: str) -> None:
    """Tell of something that only the operator can settle with the marketplace or the club."""
    _event(logging.ERROR, "link.attention", link=link, entry=entry, reason=reason)


def outcome_not_kept(*, connection: str, operation: str, try_id: str) -> None:
    """Tell that the store did not take the outcome of a request with a key: repeats are told that nobody knows it."""
    _event(logging.ERROR, "outcome.not_kept", connection=connection, operation=operation, id=try_id)


def _event(level: int, name: str, **fields: Json) -> None:
    if _LOGGER.isEnabledFor(level):  # `log` would look up the line of code as well, which the name of the event tells
        now = datetime.now(UTC).timestamp()
        own = {"levelno": level, "levelname": _LEVELS[level], "msg": name, "created": now, "msecs": now % 1 * 1000}
        record = logging.LogRecord.__new__(logging.LogRecord)
        record.__dict__.update(_ALIKE, **own, fields=fields)
        _LOGGER.handle(record)


_LEVELS = {level: logging.getLevelName(level) for level in (logging.INFO, logging.WARNING, logging.ERROR)}
_ALIKE = vars(logging.LogRecord(_LOGGER.name, logging.INFO, __name__, 0, "", (), None))
"""What all records of ours have alike: to make it anew for each, its path of the code above all, costs most of one."""
