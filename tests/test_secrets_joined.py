"""Secrets that are joined under `auth:`, echoed by a provider in every way, are never shown."""

import io
import json
import logging
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest

from gateway.telemetry.logs import start_logging
from gateway.values.errors import GatewayError
from gateway.values.secrets import Secret

KEY = "provider-s3cret-key"  # of the connection that the fixtures make
JOINED = """
settings: {company: {type: secret, required: true, meaning: The company.}}
http: {code: code, message: text}
auth:
  headers: {Authorization: "Key {{ settings.company }}:{{ settings.key }}", X-Key: "{{ settings.key }}@x"}
  query: {auth: "{{ settings.key + '/' + settings.company }}"}
native:
  ping: {safe: true, call: {get: /ping}}
"""
COMPANY = "c0mpany & sons?"


@pytest.mark.parametrize(
    "written",
    [
        str,
        lambda text: quote(text, safe=""),
        quote_plus,
        lambda text: quote(quote(text)),
        lambda text: json.dumps(text).replace("/", r"\/"),
        lambda text: b64encode(text.encode()).decode(),
        lambda text: quote(b64encode(text.encode()).decode(), safe=""),
        lambda text: urlsafe_b64encode(f"Basic {text}".encode()).decode(),
        lambda text: text.encode().hex().upper(),
    ],
)
async def test_secrets_joined(gateway, answered, log_as_it_was, written):
    """Secrets joined under `auth:` are shown neither together nor apart: in the trace, the error and the log."""
    joined = f"{COMPANY}:{KEY}", f"{KEY}/{COMPANY}"
    echo = " ".join(f"<{written(one)}>" for one in joined)
    made = gateway(JOINED, answered({"code": "no", "text": f"bad: {echo}"}, 422), company=Secret(COMPANY))
    stream = io.StringIO()
    logging.getLogger().handlers[:] = []  # start_logging closes what it finds, and these are pytest's
    start_logging(stream, made.engine.redactor(made.engine.connection("club")))
    with pytest.raises(GatewayError) as caught:
        await made.run("native.ping")
    assert (f"Key {joined[0]}", joined[1]) == (
        dict(made.requests[0].headers)["Authorization"], dict(made.requests[0].query)["auth"]
    )  # fmt: skip
    logging.getLogger("somebody").warning("sent %s", echo)
    (one,) = made.trace.exchanges
    assert {"***"} == {value for _, value in (*one.request.headers, *one.request.query)}
    error = caught.value
    shown = [repr(made.trace), error.detail, repr(error.details), repr(error.provider), stream.getvalue()]
    parts = [written(part) for part in (KEY, COMPANY)]
    assert not [text for text in shown for part in (*parts, KEY, COMPANY, echo) if part in text]
    assert all("***" in text for text in (shown[0], shown[3], shown[4]))
