"""Readings: for one owner, for a short while, within bytes for each caller and for all."""

from gateway.surface.operations.readings import KEEP_SECONDS, Reading, Readings

A = ("web", "club/1", "query", "")


def reading(size):
    return Reading([b"x" * (size - 64)], b"", {}, 0.0)


def test_whose_they_are():
    """A token is worth nothing to another caller, connection, query or view, and nothing once its time is over."""
    kept = Readings()
    one = reading(100)
    token = kept.keep(A, one, 0.0)
    assert one is kept.find(A, token, 1.0)
    for place in range(4):
        assert kept.find((*A[:place], "other", *A[place + 1 :]), token, 1.0) is None
    assert kept.find(A, "unknown", 1.0) is None
    assert kept.find(A, token, KEEP_SECONDS) is None


def test_room():
    """The oldest of a caller leave first for its own, then the oldest of all; what is too large is not kept."""
    kept = Readings(most=1000, share=600)
    assert "" == kept.keep(A, reading(601), 0.0)
    first, second = (kept.keep(A, reading(300), 0.0) for _ in range(2))
    third = kept.keep(A, reading(300), 0.0)
    assert [False, True, True] == [kept.find(A, token, 1.0) is not None for token in (first, second, third)]
    others = ("reporting", *A[1:])
    fourth = kept.keep(others, reading(500), 0.0)
    found = [kept.find(A, second, 1.0), kept.find(A, third, 1.0), kept.find(others, fourth, 1.0)]
    assert [False, True, True] == [one is not None for one in found]
