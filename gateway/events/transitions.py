"""What an observation means, given what is known: the events to tell and what to remember. No I/O, no clock.

One rule for every source: whoever learns of a change first tells it, and whoever learns of it later, by poll, webhook
or our own call, finds that it is known. The words stand in the contract's `changes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.model.model import Changes, EventType
from gateway.store.events.events import KnownState
from gateway.values.messages import Json, Observation

CHANGED = "changed"
"""The type of an observation that tells the new state alone: the difference says what happened."""
_UPDATED_AT = "updated_at"


@dataclass(frozen=True, slots=True)
class EventChange:
    """One event to tell: its type, and the fields that changed as they were before."""

    type: str
    previous: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Decision:
    """The events to tell, and what is known of the thing from now on; None leaves what is known as it is."""

    events: tuple[EventChange, ...]
    known: KnownState | None


_NOTHING = Decision((), None)


def decide(
    before: KnownState | None,
    seen: Observation,
    changes: Changes,
    tracked: Sequence[str],
    now: int,
    *,
    quiet: bool = False,
    replaced: KnownState | None = None,
) -> Decision:
    """Decide what an observation means. `now` is in milliseconds since 1970; `quiet` remembers and tells nothing.

    `replaced` is what is known of the thing that this one, seen for the first time, takes the place of.
    """
    if before is None:
        decision = _first(seen, changes, tracked, now, replaced)
    elif changes.removed in before.announced:
        return _NOTHING
    elif _is_late(before, seen, changes):
        decision = _late(before, seen, changes, now)
    else:
        decision = _news(before, seen, changes, tracked, now)
    if not quiet or decision.known is None:
        return decision
    announced, changed_at = ((), now) if before is None else (before.announced, before.changed_at)
    return Decision(
        (), KnownState(decision.known.data, announced, 0 if before is None else before.revision, changed_at)
    )


def fact(before: KnownState | None, seen: Observation, event: EventType, now: int, *, quiet: bool = False) -> Decision:
    """Decide about a thing other than a booking: what nobody knew is told, and what is another than before."""
    if before is None:
        known = KnownState(dict(seen.data), () if quiet else (event.name,), 0, now)
        return Decision(() if quiet else (EventChange(event.name, {}),), known)
    data = {**_lasting(before, seen), **seen.data}
    previous = {name: _at(before.data, name) for name in _different(before.data, data, event.tracked or (*seen.data,))}
    if not previous or quiet or (event.once and before.announced):
        return _NOTHING if data == before.data else _untold(before, data)
    return _tell(before, data, EventChange(event.name, previous), now)


def with_status(decision: Decision, changes: Changes, *, tell: bool) -> Decision:
    """Count the status of a thing that was just made as told, where coming to have that is an event of its own.

    With `tell` by that event, else by the event of its making: whoever brings the word for it later is late. A thing
    that is over as it is made is told of its end by the word for that alone.
    """
    if decision.known is None or [one.type for one in decision.events] != [changes.first]:
        return decision
    status = str(decision.known.data.get(changes.status))
    event = changes.becomes.get(status)
    if event is None or event in decision.known.announced or not (tell or status not in changes.final):
        return decision
    known = replace(decision.known, announced=(*decision.known.announced, event))
    return Decision((*decision.events, EventChange(event, {})) if tell else decision.events, known)


def given_up(old: KnownState, changes: Changes, now: int) -> KnownState | None:
    """Give what is known of a thing whose place another took, which is told of that one alone; None if it was over."""
    if old.data.get(changes.status) in changes.final:
        return None
    data = {**old.data, changes.status: changes.vanished}
    announced = dict.fromkeys((*old.announced, changes.becomes.get(changes.vanished, changes.otherwise)))
    return KnownState(data, tuple(announced), old.revision + 1, now)


def _first(
    seen: Observation, changes: Changes, tracked: Sequence[str], now: int, replaced: KnownState | None
) -> Decision:
    """Decide about a thing that is seen for the first time. One that is over already is no news, unless we are told."""
    if seen.gone:
        return _NOTHING
    data = _word(seen, changes)
    type_, previous = seen.type, {}
    if replaced is not None and replaced.data.get(changes.status) not in changes.final:
        type_ = changes.moved[1]
        names = [name for name in tracked if name != changes.status]
        previous = {name: _at(replaced.data, name) for name in _different(replaced.data, data, names)}
    elif seen.type == CHANGED:
        if data.get(changes.status) in changes.final:
            return Decision((), KnownState(data, (), 0, now))
        type_ = changes.first
    return Decision((EventChange(type_, previous),), KnownState(data, (type_,), 0, now))


def _late(before: KnownState, seen: Observation, changes: Changes, now: int) -> Decision:
    """Decide about a word that came after we knew better: its data only fills in what nothing is known of.

    That it happened is told once for each word that says where a thing stands, but not of what is over since.
    """
    stands = _sure(seen, changes).get(changes.status)
    over = before.data.get(changes.status) in changes.final and stands != before.data.get(changes.status)
    data = {**seen.data, **before.data}
    once = seen.type == changes.first or seen.type in changes.becomes.values()
    if once and seen.type not in before.announced and not over:
        return _tell(before, data, EventChange(seen.type, {}), now)
    return _NOTHING if data == before.data else _untold(before, data)


def _news(before: KnownState, seen: Observation, changes: Changes, tracked: Sequence[str], now: int) -> Decision:
    """Decide about a state that is newer than what is known. What an observation cannot tell stays as it was."""
    if seen.gone:
        seen_data = {changes.status: changes.vanished}
    else:
        seen_data = _sure(seen, changes)
        if _is_outlived(before, seen, changes):
            del seen_data[changes.status]
    if before.data.get(changes.channel) is not None:
        seen_data.pop(changes.channel, None)
    data = {**_lasting(before, seen), **seen_data}
    previous = {name: _at(before.data, name) for name in _different(before.data, data, tracked)}
    moved, moved_event = changes.moved
    type_: str | None
    if seen.type == changes.removed:
        type_ = changes.removed
    elif moved & previous.keys() and (seen.type == moved_event or changes.status not in previous):
        type_ = moved_event
    elif changes.status in previous:
        type_ = changes.becomes.get(str(data.get(changes.status)), changes.otherwise)
    else:
        type_ = changes.otherwise if previous else None
    if type_ is None:
        return _NOTHING if data == before.data else _untold(before, data)
    return _tell(before, data, EventChange(type_, previous), now)


def _is_late(before: KnownState, seen: Observation, changes: Changes) -> bool:
    """Tell whether an observation is of a time before what is known, as far as anyone can tell.

    A word for a status that is known already is late too: somebody else brought it, with the state that goes with it.
    """
    known = before.data.get(changes.status)
    if seen.gone:
        return known in changes.final
    if seen.type == changes.removed:
        return False
    old, new = (_moment(data.get(_UPDATED_AT)) for data in (before.data, seen.data))
    if old is not None and new is not None and new < old:
        return True
    if seen.type == CHANGED:
        return False
    stands = _sure(seen, changes).get(changes.status)
    if seen.type == changes.first or (seen.type in changes.becomes.values() and stands == known):
        return True
    return known in changes.later.get(str(stands), ()) or (known in changes.final and stands not in changes.final)


def _is_outlived(before: KnownState, seen: Observation, changes: Changes) -> bool:
    """Tell whether a state has the status of before: its source has no word for the end that the thing has come to.

    What only was cancelled may be seen again; what was completed, say, is not confirmed anew.
    """
    known = before.data.get(changes.status)
    over = known in changes.final and known != changes.vanished
    return (
        over and seen.type == CHANGED and known in changes.later.get(str(_sure(seen, changes).get(changes.status)), ())
    )


def _lasting(before: KnownState, seen: Observation) -> dict[str, Json]:
    """Give what is known without the fields that have no value any more, as their source leaves them out."""
    lapsed = frozenset[str]() if seen.gone else seen.lapsing - seen.data.keys() - seen.stand_ins
    return {name: value for name, value in before.data.items() if name not in lapsed}


def _word(seen: Observation, changes: Changes) -> dict[str, Json]:
    """Give the data of an observation, its status as the provider's word for what happened says it.

    A message may carry the state before, or none.
    """
    word = next((status for status, event in changes.becomes.items() if event == seen.type), None)
    return dict(seen.data) if word is None else {**seen.data, changes.status: word}


def _sure(seen: Observation, changes: Changes) -> dict[str, Json]:
    """Give the data of an observation without what only stands in for something that the provider cannot tell."""
    data = {name: value for name, value in seen.data.items() if name not in seen.stand_ins}
    return _word(replace(seen, data=data), changes)


def _tell(before: KnownState, data: Mapping[str, Json], told: EventChange, now: int) -> Decision:
    announced = tuple(dict.fromkeys((*before.announced, told.type)))
    return Decision((told,), KnownState(data, announced, before.revision + 1, now))


def _untold(before: KnownState, data: Mapping[str, Json]) -> Decision:
    return Decision((), KnownState(data, before.announced, before.revision, before.changed_at))


def _different(old: Mapping[str, Json], new: Mapping[str, Json], tracked: Sequence[str]) -> Iterator[str]:
    """Give the tracked fields that both can tell and that differ; a moment is the same in every zone."""
    for name in tracked:
        before, after = _at(old, name), _at(new, name)
        if _ABSENT in (before, after) or before == after:
            continue
        moments = _moment(before), _moment(after)
        if None in moments or moments[0] != moments[1]:
            yield name


class _Absent:
    """The type of what cannot be told."""


_ABSENT = _Absent()


def _at(data: Mapping[str, Json], dotted: str) -> Json:
    """Give the value of a field, inside of embedded objects too."""
    value: Json = data
    for part in dotted.split("."):
        if not isinstance(value, dict | Mapping) or part not in value:
            return _ABSENT
        value = value[part]
    return value


def _moment(value: Json) -> datetime | None:
    """Read an instant of the contract; None for what is none."""
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
