"""The configuration file: everything wrong is told at its place, nothing is accepted and ignored."""

import ipaddress
import sys
from pathlib import Path

import pytest

from gateway.config import (
    ConnectionSettings,
    Listen,
    environment,
    load,
)
from gateway.values.secrets import Secret

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef"
SMALLEST = "callers: {web: {key: 0123456789abcdef, may: [read]}}\nconnections: {club: {provider: example}}\n"


@pytest.fixture
def told(tmp_path):
    """Give a function that loads a text and returns its findings as `line:column code message`."""

    def of(text, environ=()):
        path = tmp_path / "gateway.yaml"
        path.write_text(text, encoding="utf-8")
        settings, findings = load(path, dict(environ))
        assert (settings is None) == bool(findings)
        return [f"{one.line}:{one.column} {one.code} {one.message}" for one in sorted(findings)]

    return of


def with_smallest(text):
    """Put the smallest configuration on two lines before a text, whose first line is then the third."""
    return SMALLEST + text


def test_smallest(tmp_path):
    """A caller and a connection are enough; everything else has a default."""
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALLEST, encoding="utf-8")
    for _ in range(2):  # the defaults are not used up
        settings, findings = load(path, {})
        assert [] == findings
        assert Listen("127.0.0.1", 8080) == settings.listen
        assert (tmp_path / "mappings",) == settings.mappings
        assert (25.0, 1 << 20) == (settings.timeout, settings.max_body)
        assert ("memory://", ()) == (settings.limits_store, tuple(settings.secrets())[1:])
        assert (None, 0, frozenset(), ()) == (
            settings.admin_token,
            settings.traces,
            settings.cors_origins,
            settings.egress,
        )
        assert {"club": ConnectionSettings("club", "example", {})} == settings.connections
        assert (Secret(KEY), {"read"}, None) == (
            settings.callers["web"].key,
            settings.callers["web"].may,
            settings.callers["web"].connections,
        )


REDIS = "rediss://gateway:p%40ss%2Fword@[::1]:6379/3"


@pytest.mark.parametrize("url", ["redis://h:6379", "redis://:p@h.example:6379/0", "rediss://u:p@10.0.0.1:1/15", REDIS])
def test_stores(tmp_path, monkeypatch, url):
    """A Redis is named by its URL; without its client, which is an extra, that is told at the start."""
    path = tmp_path / "gateway.yaml"
    path.write_text(SMALLEST + f"limits_store: '{url}'\n", encoding="utf-8")
    settings, findings = load(path, {})
    assert ([], url) == (findings, settings.limits_store)
    monkeypatch.setitem(sys.modules, "redis", None)  # as if it were not installed
    (finding,) = load(path, {})[1]
    assert (3, 15, "wrong-value") == (finding.line, finding.column, finding.code)
    assert "`limits_store` needs the Redis client, which is not installed: pip install" in finding.message
    assert url not in finding.message


def test_everything(tmp_path):
    """Every key arrives where it belongs."""
    path = tmp_path / "gateway.yaml"
    path.write_text(
        """
listen: {host: "::1", port: 0}
mappings: [/etc/maps, own.yaml]
timeout: 9s
max_body: 64KiB
limits_store: "${REDIS}"
admin: {token: "${TOKEN}", traces: 7}
callers: {web: {key: "${KEY}", may: [write, read], connections: [b]}}
cors: {origins: ["https://booking.example", "http://localhost:3000", "http://[::1]:80"]}
egress: {allow: [10.1.0.0/16, "fd00::/8"]}
connections: {b: {provider: example, settings: {password: "${PASSWORD}", list: [1, "${KEY}"]}}}
""",
        encoding="utf-8",
    )
    settings, findings = load(path, {"TOKEN": "t" * 16, "KEY": KEY, "PASSWORD": "hunter2", "REDIS": REDIS})
    assert [] == findings
    assert Listen("::1", 0) == settings.listen
    assert (Path("/etc/maps"), tmp_path / "own.yaml") == settings.mappings
    assert (9.0, 65536, 7) == (settings.timeout, settings.max_body, settings.traces)
    assert {"b"} == settings.callers["web"].connections
    assert {"https://booking.example", "http://localhost:3000", "http://[::1]:80"} == settings.cors_origins
    assert (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00::/8")) == settings.egress
    assert {"password": "hunter2", "list": [1, KEY]} == settings.connections["b"].settings
    assert REDIS == settings.limits_store
    assert [Secret(KEY), Secret("t" * 16), Secret("p@ss/word")] == list(settings.secrets())
    assert not [secret for secret in (KEY, "t" * 16, "hunter2", "word") if secret in repr(settings)]


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("conections: {}", "3:1 unknown-key `conections` is not known here; did you mean `connections`?"),
        ("listen: {prot: 1}", "3:10 unknown-key `prot` is not known here; did you mean `port`?"),
        ("listen: {port: 65536}", "3:16 wrong-value `port` is too large: at most 65535"),
        ("listen: {port: true}", "3:16 wrong-type `port` is true or false; a whole number is needed"),
        ("listen: {port: '80'}", "3:16 wrong-type `port` is text; a whole number is needed"),
        ("mappings: []", "3:11 wrong-value `mappings` is too short: at least 1"),
        ("admin: {}", "3:1 missing-key `token` is missing (16 to 256 visible ASCII characters)"),
        (f"admin: {{traces: 0, token: {KEY}x}}", "3:17 wrong-value `traces` is too small: at least 1"),
        (f"admin: {{traces: 1001, token: {KEY}x}}", "3:17 wrong-value `traces` is too large: at most 1000"),
        ("admin:", "3:7 wrong-type `admin` is empty; give a value or leave it out"),
        ("egress: {allow: [10.0.0.1/8]}", "3:18 wrong-value element 1 is no network in CIDR notation"),
        ("egress: {allow: [localhost]}", "3:18 wrong-value element 1 is no network in CIDR notation"),
        *(
            (f"store: '{bad}'", "3:8 wrong-value `store` is neither `sqlite:///PATH` nor `postgresql://USER:PASS")
            for bad in (
                "x",
                "sqlite:///",
                "postgres://h/d",
                "postgresql://h",
                "postgresql:///",
                "postgresql://u:p@h:port/d",
                "mysql://h/d",
            )
        ),
        *(
            (f"store: '{bad}'", "3:8 wrong-value `store` must name a file, as in `sqlite:///gateway.db`")
            for bad in ("sqlite:///:memory:", "sqlite:///gateway.db?mode=ro")
        ),
        ("store: 'postgresql://u:p@h/d?sslmode=require'", "3:8 wrong-value `store` may end in `?ssl=` and disable"),
        *(
            (f"public_url: '{bad}'", "3:13 wrong-value `public_url` ")
            for bad in ("gateway", "ftp://a", "https://a/", "https://u:p@a", "https://a?b", "https://a#b")
        ),
        ("webhooks: [{url: 'https://a', secret: short}]", "3:39 wrong-value `secret` is not `whsec_` and 24"),
        ("webhooks: [{url: 'a', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}]", "3:18 wrong-value `url` is no http"),
        (
            (
                "webhooks: [{url: 'https://a', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}, "
                "{url: 'https://a', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}]"
            ),
            "3:86 duplicate-webhook is also the address of number 1; put the events of one consumer together",
        ),
        ("deliveries: {schedule: [5]}", "3:25 wrong-type element 1 "),
        ("deliveries: {timeout: 200s}", "3:23 wrong-value `timeout` does not fit"),
        ("polling: {interval: 5}", "3:21 wrong-type `interval` "),
        ("polling: {window_days: 0}", "3:24 wrong-value `window_days` "),
        ("retention: {days: 1}", "3:19 wrong-value `days` "),
        *(
            (f"limits_store: '{bad}'", "3:15 wrong-value `limits_store` is neither `memory://` nor a Redis URL")
            for bad in (
                "",
                "memory",
                "memory://x",
                "redis://",
                "redis://host",
                "redis://a b:6379",
                "redis://h:6379/0?x=1",
                "redis+unix:///s",
                "memcached://h:11211",
                "redis://h:1,i:2",
            )
        ),
        *((f"timeout: {bad}", "3:10 wrong-value `timeout` does not fit") for bad in ("0s", "1m", "1000s", "s", "-1s")),
        *((f"max_body: {bad}", "3:11 wrong-value `max_body` does not fit") for bad in ("0KiB", "1GiB", "10MB", "x")),
        *(
            (f"cors: {{origins: ['{bad}']}}", "3:18 wrong-value element 1 does not fit")
            for bad in ("*", "https://a.example/", "a.example", "https://A.example", "null", "https://u@a.example")
        ),
    ],
)
def test_findings(told, line, finding):
    """Each wrong key or value is told in plain words at its place, and alone."""
    (found,) = told(with_smallest(line))
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("caller", "finding"),
    [
        ("a: {key: short, may: [read]}", "2:12 wrong-value `key` does not fit: 16 to 256 visible ASCII"),
        ("a: {key: 'fifteen chars +1 ', may: [read]}", "2:12 wrong-value `key` does not fit"),
        (f"a: {{key: {'é' * 16}, may: [read]}}", "2:12 wrong-value `key` does not fit"),
        ("a: {may: [read]}", "2:3 missing-key `key` is missing"),
        (f"a: {{key: {KEY}}}", "2:3 missing-key `may` is missing"),
        (f"a: {{key: {KEY}, may: []}}", "2:35 wrong-value `may` is too short"),
        (
            f"a: {{key: {KEY}, may: [wirte]}}",
            "2:35 not-allowed `may` must be one of read, write; did you mean `write`?",
        ),
        (f"a: {{key: {KEY}, may: [read], connections: []}}", "2:56 wrong-value `connections` is too short"),
        (
            f"a: {{key: {KEY}, may: [read], connections: [clubb]}}",
            "2:57 unknown-connection there is no such connection; did you mean `club`?",
        ),
        (f"admin: {{key: {KEY}, may: [read]}}", "2:3 bad-name `admin` cannot be a name here"),
        (f"A: {{key: {KEY}, may: [read]}}", "2:3 bad-name `A` cannot be a name here"),
        (f"a: {{key: {KEY}, may: [read]}}\n  b: {{key: {KEY}, may: [read]}}", "3:12 shared-key is also the key of `a`"),
    ],
)
def test_callers(told, caller, finding):
    """A caller without a good key of its own, a right and known connections is told."""
    (found,) = told(f"callers:\n  {caller}\nconnections: {{club: {{provider: example}}}}")
    assert found.startswith(finding)


def test_admin_token_is_no_caller_key(told):
    """A caller does not become the operator by sharing the token."""
    (found,) = told(with_smallest(f"admin: {{token: {KEY}}}"))
    assert "1:22 shared-key is also the key of `admin.token`; keys must differ" == found


@pytest.mark.parametrize(
    "name", ["connections", "webhooks", "operations", "Club", "-a", "a_b", "a" * 64, "'a\\n'", "é"]
)
def test_connection_names(told, name):
    """A name that cannot stand in a URL, or stands there for something else, is told."""
    quoted = name.replace("'", '"')
    (found,) = told(f"callers: {{a: {{key: {KEY}, may: [read]}}}}\nconnections:\n  {quoted}: {{provider: example}}")
    assert found.startswith("3:3 bad-name ")


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["1:1 empty there is nothing in it"]),
        ("[1]", ["1:1 wrong-type this is a list; an object is needed"]),
        ("a: [", ["2:1 syntax"]),
        ("listen: {}", ["1:1 missing-key `callers` is missing", "1:1 missing-key `connections` is missing"]),
        ("callers: {}\nconnections: {}", ["1:10 wrong-value `callers` is too short", "2:14 wrong-value `connections`"]),
    ],
)
def test_useless_files(told, text, findings):
    """A file that is no configuration, or that nobody could use, is told."""
    found = told(text)
    assert len(findings) == len(found)
    assert [] == [line for line, start in zip(found, findings, strict=True) if not line.startswith(start)]


def test_all_at_once(told):
    """Faults of form and missing variables are told together."""
    found = told(with_smallest("links: x\ntimeout: 0s\nadmin: {token: '${TOKEN}'}"))
    assert ["wrong-type", "wrong-value", "bad-variable"] == [line.split()[1] for line in found]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "TOKEN is not set; set it, or set TOKEN_FILE to the path of a file that holds it"),
        ({"TOKEN": ""}, "TOKEN is empty; give it a value"),
        ({"TOKEN": KEY, "TOKEN_FILE": "/x"}, "both TOKEN and TOKEN_FILE are set; unset one of them"),
        ({"TOKEN_FILE": "/nowhere"}, "the file that TOKEN_FILE names cannot be read: No such file or directory"),
        ({"TOKEN_FILE": "/"}, "the file that TOKEN_FILE names cannot be read: Is a directory"),
        ({"TOKEN_FILE": "/dev/null"}, "TOKEN is empty; give it a value"),
        ({"TOKEN_FILE": "/dev/zero"}, "the file that TOKEN_FILE names is larger than 65536 bytes"),
        ({"TOKEN": KEY + "\n"}, "TOKEN holds characters that cannot be printed, perhaps a line break"),
        ({"TOKEN": KEY + "\udcff"}, "TOKEN holds characters that cannot be printed, perhaps a line break"),
    ],
)
def test_variables_without_value(told, environ, message):
    """A variable that gives no value is told once, with its place and the remedy, and never with a value."""
    assert [f"3:16 bad-variable {message}"] == told(with_smallest("admin: {token: '${TOKEN}'}"), environ)


@pytest.mark.parametrize("text", ["x${TOKEN}", "${TOKEN}x", "${A}${B}", "${}", "${1A}", "${A B}", "$${A}"])
def test_a_variable_is_a_whole_value(told, text):
    """Nothing is put together from variables."""
    (found,) = told(with_smallest(f"admin: {{token: '{text}'}}"), {"TOKEN": KEY, "A": KEY, "B": KEY})
    assert "3:16 bad-variable a variable must be the whole value, as in `${NAME}`" == found


def test_values_are_not_variables(told):
    """What a variable holds is not looked at for variables again, and its text is never read as YAML."""
    assert [] == told(with_smallest("admin: {token: '${TOKEN}'}"), {"TOKEN": "${OTHER}: [*a, b]".replace(" ", "_")})


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_variable_from_a_file(tmp_path, told, ending):
    """A file gives the value without the one line break at its end."""
    (tmp_path / "key").write_bytes(KEY[:-1].encode() + b"!" + ending.encode())
    text = with_smallest("egress: {allow: ['${NET}']}\nadmin: {token: '${TOKEN}'}")
    assert [] == told(text, {"TOKEN_FILE": str(tmp_path / "key"), "NET": "10.0.0.0/8"})


@pytest.mark.parametrize("content", [b"0123456789abcdef\n\n", b"0123456789abcdef\xe4"])
def test_files_that_hold_more(tmp_path, told, content):
    """A second line, or bytes that are no text, are not taken for a secret."""
    (tmp_path / "key").write_bytes(content)
    (found,) = told(with_smallest("admin: {token: '${TOKEN}'}"), {"TOKEN_FILE": str(tmp_path / "key")})
    assert found.startswith("3:16 bad-variable ")
    assert KEY not in found


def test_wrong_values_are_not_shown(told):
    """A secret that stands where it does not belong is not in any finding."""
    places = [
        "timeout: '${X}'",
        "max_body: '${X}'",
        "listen: {port: '${X}'}",
        "cors: {origins: ['${X}']}",
        "egress: {allow: ['${X}']}",
        "admin: {token: '${X}'}",
    ]
    places += ["callers: {a: {key: '${X}', may: ['${X}']}}", "connections: {c: {provider: x, settings: '${X}'}}"]
    found = told("\n".join(places), {"X": "hunter two"})
    assert list(range(1, 9)) == sorted({int(line.partition(":")[0]) for line in found})
    assert [] == [line for line in found if "hunter" in line]


def test_missing_file(tmp_path):
    """A configuration that is not there is a finding."""
    settings, (finding,) = load(tmp_path / "none.yaml", {})
    assert (None, "unreadable") == (settings, finding.code)


def test_environment(monkeypatch):
    """The environment is read when asked for, and cannot be changed through what is given."""
    monkeypatch.setenv("GATEWAY_TEST_VARIABLE", "x")
    given = environment()
    assert "x" == given["GATEWAY_TEST_VARIABLE"]
    monkeypatch.delenv("GATEWAY_TEST_VARIABLE")
    assert "x" == given["GATEWAY_TEST_VARIABLE"]
