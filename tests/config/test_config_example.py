"""The example configuration has every key of the schema, with its default, and every key says what it means."""

import re
from pathlib import Path

import pytest

from gateway.config import SCHEMA, DeliverySettings, Listen, PolicySettings, PollingSettings, RetentionSettings, load

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef"
SIGNING = {"SHOP_HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def load_example():
    """Load the example as it stands, with a value made up for each variable."""
    path = ROOT / "config.example.yaml"
    names = re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))
    settings, findings = load(path, {name: f"{name}-{KEY}" for name in names} | SIGNING)
    assert [] == findings
    return settings


@pytest.mark.parametrize("comment", ["# admin", "admin"])
def test_the_example(tmp_path, comment):
    """The example has every key, loads as it stands and with what is commented out, and shows the defaults."""
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    for name in ("admin", "public_url", "state_key", "webhooks"):
        text = text.replace(f"# {name}:", f"{'' if comment == 'admin' else '# '}{name}:")
    text = text.replace("#   - {url", "  - {url") if comment == "admin" else text
    (tmp_path / "example.yaml").write_text(text, encoding="utf-8")
    names = re.findall(r"\$\{(\w+)\}", text)
    settings, findings = load(tmp_path / "example.yaml", {name: f"{name}-{KEY}" for name in names} | SIGNING)
    assert [] == findings
    keys = re.findall(r"""(?m)^(?:# )?([a-z_]+):(?= [\[{0-9"]|$)""", text)
    assert SCHEMA.keys() == set(keys)
    assert (Listen("127.0.0.1", 8080), 25.0, 1 << 20) == (settings.listen, settings.timeout, settings.max_body)
    assert ((tmp_path / "mappings",), "memory://") == (settings.mappings, settings.limits_store)
    assert ("sqlite:///gateway.db", RetentionSettings(30, 1_000_000)) == (settings.store, settings.retention)
    assert (DeliverySettings((5.0, 300.0), 15.0, 4, 100, http=False), PollingSettings(300.0, 60)) == (
        settings.deliveries,
        settings.polling,
    )
    assert (comment == "admin") == bool(settings.webhooks) == bool(settings.public_url)
    assert (comment == "admin") == bool(settings.state_keys)
    assert (comment == "admin", 100 * (comment == "admin")) == (settings.admin_token is not None, settings.traces)


def described(rules):
    """Give every rule of a schema that holds others, and every rule of those."""
    for name, rule in rules.items():
        yield name, rule
        for inner in (rule, rule.get("valuesrules", {})):
            schema = inner.get("schema", {})
            yield from described(schema if "type" not in schema else {f"{name}[]": schema})


def test_links():
    """The example has every key of a link, at its default where there is one."""
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    part = text[text.index("\nlinks:\n") : text.index("\n# Consumers ")]
    (links,) = [rule["schema"]["schema"] for name, rule in SCHEMA.items() if name == "links"]
    assert [] == [name for name, _ in described(links) if not name.endswith("]") and f"{name}:" not in part]
    link = load_example().links[0]
    assert (14, 120.0, 2.0, PolicySettings()) == (link.horizon_days, link.interval, link.debounce, link.policy)


def test_every_key_has_a_meaning():
    """The reference is made from the schema, so no key is without its meaning."""
    assert [] == [name for name, rule in described(SCHEMA) if not rule["meta"]["meaning"]]
    assert {"port", "origins", "may", "provider", "mappings[]"} <= {name for name, _ in described(SCHEMA)}
