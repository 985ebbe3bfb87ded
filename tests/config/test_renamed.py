"""Keys of the configuration that have another name now are still read, each with a warning."""

import pytest

from gateway.config import PollingSettings, load

SMALLEST = "callers: {web: {key: 0123456789abcdef, may: [read]}}\nconnections: {club: {provider: example}}\n"


@pytest.mark.parametrize(
    ("lines", "told", "polling"),
    [
        ("polling: {interval: 5m, window_days: 9}", [], PollingSettings(300.0, 9)),
        (
            "watch: {interval: 5m, window_days: 9}",
            ["3:1: warning renamed-key: `watch` is called `polling` now"],
            PollingSettings(300.0, 9),
        ),
        (
            "watch: {interval: 5}",
            [
                "3:1: warning renamed-key: `watch` is called `polling` now",
                "3:19: error wrong-type: `interval` is a number; text is needed",
            ],
            None,
        ),
        ("watch: {}\npolling: {}", ["3:1: error unknown-key: `watch` is not known here"], None),
    ],
    ids=["new", "old", "old and wrong", "both"],
)
def test_polling(tmp_path, lines, told, polling):
    """Its old key is read as the new one, with a warning at its place; beside the new one it is not known."""
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALLEST + lines, encoding="utf-8")
    settings, findings = load(path, {})
    assert told == [str(one).removeprefix(f"{path}:") for one in sorted(findings)]
    assert polling == (settings.polling if settings is not None else None)


@pytest.mark.parametrize(
    ("lines", "told", "concurrency"),
    [
        ("deliveries: {concurrency: 9}", [], 9),
        (
            "deliveries: {timeout: 5s, at_once: 9}",
            ["3:27: warning renamed-key: `at_once` is called `concurrency` now"],
            9,
        ),
        (
            "deliveries: {at_once: many}",
            [
                "3:14: warning renamed-key: `at_once` is called `concurrency` now",
                "3:23: error wrong-type: `concurrency` is text; a whole number is needed",
            ],
            None,
        ),
        ("deliveries: {at_once: 1, concurrency: 2}", ["3:14: error unknown-key: `at_once` is not known here"], None),
        ("deliveries: [at_once]", ["3:13: error wrong-type: `deliveries` is a list; an object is needed"], None),
    ],
    ids=["new", "old", "old and wrong", "both", "no mapping"],
)
def test_concurrency(tmp_path, lines, told, concurrency):
    """The old key below another one is read as the new one too, and what is wrong keeps its place."""
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALLEST + lines, encoding="utf-8")
    settings, findings = load(path, {})
    assert told == [str(one).removeprefix(f"{path}:") for one in sorted(findings)]
    assert concurrency == (settings.deliveries.concurrency if settings is not None else None)
