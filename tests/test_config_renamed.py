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
