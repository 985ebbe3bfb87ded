"""Who we are to a provider, without a session: what is added to requests."""

import base64
from dataclasses import replace

import pytest

from gateway.values.errors import (
    MappingFault,
)
from tests.engine.way_out.signing import FORM, REQUEST, SCOPE, SECRET, USER, sent


async def test_query(compiled):
    """Query parameters come behind those of the call."""
    plan = compiled('auth: {query: {api_key: "{{ settings.key }}"}}')
    assert replace(REQUEST, query=(("q", "1"), ("api_key", SECRET))) == await sent(plan)


async def test_headers(compiled):
    """Headers come behind those of the call; a signature is made of the time of the call."""
    plan = compiled('auth: {headers: {X-Key: "{{ settings.key }}", X-Sign: "{{ md5(now, settings.key) }}"}}')
    names = [name for name, _ in (await sent(plan)).headers]
    assert ["X-A", "X-Key", "X-Sign"] == names


async def test_basic(compiled):
    """User and password are joined and encoded as RFC 7617 says; a text in the mapping counts like a template."""
    plan = compiled(USER + 'auth: {basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}')
    plain = compiled('auth: {basic: {user: club, password: "{{ settings.key }}"}}')
    expected = "Basic " + base64.b64encode(f"club:{SECRET}".encode()).decode()
    assert ("Authorization", expected) == (await sent(plan)).headers[-1] == (await sent(plain)).headers[-1]


async def test_basic_of_the_rfc(compiled):
    """The RFC's own example comes out as it stands there."""
    plan = compiled('auth: {basic: {user: Aladdin, password: "{{ settings.key }}"}}')
    scope = {"settings": {"key": "open sesame"}}
    assert ("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == (await sent(plan, scope=scope)).headers[-1]


async def test_form(compiled):
    """Form fields come behind those of a form, and nowhere else."""
    day = "native: {day: {safe: true, call: {post: /day, form: {a: b}}}}"
    plan = compiled(f'auth: {{form: {{key: "{{{{ settings.key }}}}", deep: {{a: [1]}}}}}}\n{day}')
    assert b"a=1&key=s3cr%26t%2Bk%C3%A9y&deep%5Ba%5D%5B0%5D=1" == (await sent(plan, FORM)).body
    assert b"key=s3cr%26t%2Bk%C3%A9y&deep%5Ba%5D%5B0%5D=1" == (await sent(plan, replace(FORM, body=b""))).body
    assert REQUEST == await sent(plan)


async def test_form_that_the_mapping_declares(compiled):
    """A form is one however the mapping writes its type, and of one header the scheme's goes out."""
    day = "native: {day: {safe: true, call: {post: /day, form: {a: b}}}}"
    plan = compiled(f'auth: {{form: {{key: "{{{{ settings.key }}}}"}}, headers: {{x-a: scheme}}}}\n{day}')
    declared = (("X-A", "call"), ("content-type", "application/x-www-form-urlencoded; charset=utf-8"))
    found = await sent(plan, replace(FORM, headers=declared, body=b""))
    assert b"key=s3cr%26t%2Bk%C3%A9y" == found.body
    assert (("x-a", "scheme"), declared[1]) == found.headers


async def test_none(compiled):
    """A provider that asks for nothing gets nothing."""
    assert REQUEST == await sent(compiled("settings: {key: null}\nauth: none"))


@pytest.mark.parametrize(
    "scheme",
    [
        '{headers: {X-User: "{{ settings.user }}"}, query: {k: "{{ settings.key }}"}}',
        '{query: {user: "{{ settings.user }}"}, headers: {k: "{{ settings.key }}"}}',
        '{basic: {user: "{{ settings.user }}", password: "{{ settings.key }}"}}',
    ],
)
async def test_nothing_where_something_is_needed(compiled, scheme):
    """A setting that a connection did not give is a fault named by its place, and is not sent as a word for nothing."""
    settings = {**SCOPE["settings"], "user": None}
    with pytest.raises(MappingFault, match=r"^example\.yaml:\d+: ") as caught:
        await sent(compiled(f"{USER}auth: {scheme}"), scope={"settings": settings})
    assert SECRET not in repr(caught.value)
