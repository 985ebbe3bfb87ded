"""What the keys of `links` say of one another and of the connections. Nothing here knows what a provider can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.documents.yaml import Document, Finding, Place, suggestion
from gateway.values.messages import Json


def compare_links(checked: Mapping[str, Json], document: Document, findings: list[Finding]) -> None:
    """Append a Finding for every link that contradicts itself, another, or the connections."""
    names: dict[str, int] = {}
    centers: dict[tuple[str, str], int] = {}
    courts: dict[tuple[str, str], str] = {}
    for index, link in enumerate(checked["links"]):
        place: Place = ("links", index)
        findings += _ends(link, checked, document, place)
        twin = names.setdefault(link["name"], index)
        if twin != index:
            message = f"is also the name of number {twin + 1}; names must differ"
            findings.append(document.finding((*place, "name"), "duplicate-link", message))
        twin = centers.setdefault((link["peer"], link["center_id"]), index)
        if twin != index:
            message = f"is also the center of number {twin + 1} at the same peer; put its facilities together"
            findings.append(document.finding((*place, "center_id"), "duplicate-link", message))
        for number, facility in enumerate(link["facilities"]):
            where = f"number {number + 1} of `{link['name']}`"
            twice = courts.setdefault((link["peer"], facility["facility_id"]), where)
            if twice != where:
                message = f"is also the facility of {twice}; the peer could not tell them apart"
                at = (*place, "facilities", number, "facility_id")
                findings.append(document.finding(at, "duplicate-facility", message))
        findings += _grids(link, document, place)


def _ends(link: Mapping[str, Json], checked: Mapping[str, Json], document: Document, place: Place) -> Iterator[Finding]:
    """Both ends are connections, and two."""
    for end in ("peer", "club"):
        if link[end] not in checked["connections"]:
            message = f"there is no such connection{suggestion(link[end], checked['connections'])}"
            yield document.finding((*place, end), "unknown-connection", message)
    if link["peer"] == link["club"]:
        message = "is the peer as well; a link joins two connections"
        yield document.finding((*place, "club"), "link-to-itself", message)


def _grids(link: Mapping[str, Json], document: Document, place: Place) -> Iterator[Finding]:
    """Every grid is made of whole slots, the last of which ends where the grid says."""
    nodes = [(link, place)]
    nodes += [(one, (*place, "facilities", number)) for number, one in enumerate(link["facilities"])]
    duration = link.get("slot_duration")
    for node, at in nodes:
        if "grid" not in node:
            continue
        if duration is None:
            message = "a grid needs `slot_duration` in its link: how long the slots on it last"
            yield document.finding((*at, "grid"), "wrong-grid", message, key=True)
            continue
        problem = _untile(node["grid"], duration)
        if problem:
            yield document.finding((*at, "grid", "last"), "wrong-grid", problem)


def _untile(grid: Mapping[str, Json], duration: int) -> str:
    """Why slots of so many minutes do not fill the grid; empty when they do."""
    first, last, step = _minutes(grid["first"]), _minutes(grid["last"]), grid["step"]
    if last <= first:
        return "must be later than `first`; 24:00 is the end of the day"
    if last - first < duration:
        return f"no slot of {duration} minutes fits between `first` and `last`"
    left = (last - first - duration) % step
    if left:
        ends = last - left
        shown = f"{ends // 60:02}:{ends % 60:02}"
        return f"slots of {duration} minutes every {step} minutes from `first` end at {shown} the last time; write that"
    return ""


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
