"""`gateway test`: golden examples pass, or the difference is shown field by field."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = "mappings/examples/desk.yaml"


def test_hold(gateway, house):
    """Examples that hold are counted; with -v they are named, with their place."""
    assert (0, "desk: 9 of 9 examples pass\ndesk: 11 of 11 fields round-trip\n", "") == gateway("test")
    code, out, err = gateway("test", "desk", "-v")
    assert (0, "") == (code, err)
    assert 9 == out.count(" holds: ")
    line = next(
        number
        for number, text in enumerate((house / EXAMPLES).read_text(encoding="utf-8").splitlines(), 1)
        if text.endswith("name: a taken slot")
    )
    assert f"{EXAMPLES}:{line}: desk bookings.create holds: a taken slot\n" in out


def test_some(gateway, house):
    """With -k only those run whose name or operation holds the text; none at all is a failure."""
    two = "desk: 2 of 2 fields round-trip\n"
    assert (0, "desk: 1 of 1 examples pass\n", "") == gateway("test", "-k", "taken")
    assert (0, f"desk: 2 of 2 examples pass\n{two}", "") == gateway("test", "-k", "resources.get")
    assert (1, "desk: 0 of 0 examples pass\n", "no example was run\n") == gateway("test", "-k", "nosuch")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '    gives: {id: "1", name: Attic, type: room,',
            '    gives: {id: "1", name: Loft, type: hall, floor: 2,',
            [
                'name: expected "Loft", got "Attic"',
                'type: expected "hall", got "room"',
                "floor is missing, expected 2",
            ],
        ),
        (
            'type: room, bookable: true, time_zone: Europe/Berlin}\n      - {id: "2", name: Cellar,',
            'type: room, bookable: true, time_zone: Europe/Berlin}\n      - {id: "2",',
            ['[1].name was not expected, got "Cellar"'],
        ),
        ("    gives: Hello Bo\n", "    gives: Hello\n", ['the value: expected "Hello", got "Hello Bo"']),
        (
            "fails: {code: BOOKING_CONFLICT, provider_code: taken}",
            "fails: {code: BOOKING_NOT_FOUND, provider_code: gone}",
            [
                'code: expected "BOOKING_NOT_FOUND", got "BOOKING_CONFLICT"',
                'provider_code: expected "gone", got "taken"',
            ],
        ),
        (
            "    fails: {code: BOOKING_CONFLICT, provider_code: taken}",
            "    gives: {}",
            ["failed with BOOKING_CONFLICT"],
        ),
        ("    gives: Hello Bo\n", "    fails: {code: NOT_FOUND}\n", ["expected NOT_FOUND, but it succeeded with"]),
        (
            "form: {slot: a, who: {name: Ada}}",
            "form: {slot: b, who: {name: Ada, age: 36}}",
            [
                "which no exchange expects",
                'body: slot: expected "b", got "a"; who[age] is missing, expected "36"',
                "this exchange was expected and never asked for",
            ],
        ),
        ("headers: {X-Key: desk-s3cret-key}", "headers: {X-Key: another}", ["header x-key is not as expected"]),
        (
            'query: {day: "2026-03-02"}',
            'query: {day: "2026-03-03"}',
            ['query: day: expected "2026-03-03", got "2026-03-02"'],
        ),
        (
            'get: "https://desk.example/rooms/1"',
            'get: "https://desk.example/room/1"',
            ["expects GET https://desk.example/room/1"],
        ),
    ],
)
def test_differences(gateway, edit, old, new, told):
    """A changed example fails with its place and a line for every field that differs; the others still hold."""
    edit(EXAMPLES, old, new)
    code, out, _ = gateway("test")
    assert 1 == code
    assert [] == [line for line in told if line not in out], out
    assert out.startswith(f"{EXAMPLES}:")
    assert "desk: 8 of 9 examples pass\n" in out


def test_a_changed_mapping(gateway, edit):
    """What a change of the mapping breaks is shown by the examples, each with its own difference."""
    edit("mappings/desk.yaml", "      name: name\n", '      name: {compute: "Room {{ row.id }}"}\n')
    code, out, _ = gateway("test")
    assert 1 == code
    assert 2 == out.count('name: expected "Attic", got "Room 1"')
    assert 1 == out.count('[1].name: expected "Cellar", got "Room 2"')
    assert "desk: 7 of 9 examples pass\n" in out


def test_round_trips(gateway, edit, house):
    """A field that the examples read and that cannot be written back fails with its line in the mapping."""
    old = "      id: id\n      name: name\n"
    edit(
        "mappings/desk.yaml", old, f"{old}      color: {{at: name, as: {{enum: {{Attic: a}}, else: b}}, mode: both}}\n"
    )
    code, out, _ = gateway("test", "-k", "resources.list")
    assert 1 == code
    lines = (house / "mappings" / "desk.yaml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.startswith("      color:"))
    assert (
        f"mappings/desk.yaml:{line}: desk room.color does not come back as it was\n    mappings/desk.yaml:{line}" in out
    )
    assert out.endswith("desk: 1 of 2 fields round-trip\n")


def test_secrets_are_not_told(gateway, edit):
    """A difference never shows the secret that a request carries."""
    edit(
        EXAMPLES,
        'get: "https://desk.example/rooms", headers: {X-Key: desk-s3cret-key}',
        'get: "https://desk.example/room"',
    )
    code, out, err = gateway("test")
    assert 1 == code
    assert "desk-s3cret-key" not in out + err


def test_nothing_to_run(gateway, house):
    """An unknown provider is wrong usage; broken mappings, broken examples and no examples are failures."""
    code, out, err = gateway("test", "dask")
    assert (2, "") == (code, out)
    assert "there is no provider `dask`; the mappings describe desk\n" == err
    (house / EXAMPLES).write_text("provider: [", encoding="utf-8")
    code, out, err = gateway("test")
    assert 1 == code
    assert f"{EXAMPLES}:2:1: error syntax: " in err
    (house / EXAMPLES).unlink()
    code, out, err = gateway("test")
    assert 1 == code
    assert f"there are no examples for desk: write {EXAMPLES}" in err
    (house / "mappings" / "desk.yaml").write_text("language: 2\n", encoding="utf-8")
    code, out, err = gateway("test")
    assert (1, "") == (code, out)
    assert "mappings/desk.yaml:1:1: error missing-key" in err


@pytest.mark.parametrize("path", sorted((ROOT / "mappings").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped(gateway, path):
    """Every example of the shipped mappings holds."""
    code, out, err = gateway("test", "--mappings", path)
    assert (0, "") == (code, err), out
