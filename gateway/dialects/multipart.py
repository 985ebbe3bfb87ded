"""multipart/form-data (RFC 7578): fields and files in one body.

A boundary is made of what it must not stand in, so that the same parts are the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from typing import Final

from gateway.dialects.refusal import NotWritable, plain
from gateway.values.messages import Json

MEMBERS: Final = frozenset({"content", "filename", "type"})
"""What a part may say that is more than a value."""
_ESCAPES: Final = {ord("\n"): "%0A", ord("\r"): "%0D", ord('"'): "%22"}
"""As browsers write them (WHATWG HTML, section 4.10.21.8)."""


def write_multipart(fields: Json) -> tuple[bytes, str]:
    """Write an object of fields, and give its Content-Type. A list is that many parts of one name.

    A part is a text or a number, or an object of `content`, `filename` and `type`, where the last is its media type.
    Raises NotWritable.
    """
    parts = [
        _part(name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])
    ]
    boundary = f"part-{hashlib.sha256(b''.join(parts)).hexdigest()[:40]}"
    between = f"--{boundary}\r\n".encode()
    body = b"".join(between + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f'multipart/form-data; boundary="{boundary}"'


def _part(name: str, value: Json) -> bytes:
    told = f'Content-Disposition: form-data; name="{name.translate(_ESCAPES)}"'
    if isinstance(value, dict):
        if "content" not in value or value.keys() - MEMBERS:
            raise NotWritable(f"has in `{name}` an object, and a part has `content`, `filename` and `type`")
        if "filename" in value:
            told += f'; filename="{plain(value["filename"], name).translate(_ESCAPES)}"'
        kind = plain(value.get("type", "text/plain; charset=utf-8"), name)
        if not kind.isprintable():
            raise NotWritable(f"has in `{name}` a media type that is not one line", frozenset("\r\n\t"))
        return f"{told}\r\nContent-Type: {kind}\r\n\r\n{plain(value['content'], name)}".encode()
    return f"{told}\r\n\r\n{plain(value, name)}".encode()


def read_multipart(body: bytes, content_type: str) -> dict[str, Json]:
    """Read the parts of such a body as they would be written; of what is no such body there are none."""
    message = BytesParser().parsebytes(
        b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body
    )
    found: dict[str, Json] = {}
    for name, value in _read(message):
        held = found.get(name)
        found[name] = value if held is None else [*(held if isinstance(held, list) else [held]), value]
    return found


def _read(message: Message) -> Iterator[tuple[str, Json]]:
    for part in message.get_payload() if message.is_multipart() else ():
        if not isinstance(part, Message):
            continue
        payload = part.get_payload(decode=True)
        text = payload.decode(errors="replace") if isinstance(payload, bytes) else ""
        name, filename = (part.get_param(key, header="content-disposition") for key in ("name", "filename"))
        value: Json = text
        if "content-type" in part:
            value = {"content": text, "type": part["content-type"]}
            value |= {"filename": filename} if isinstance(filename, str) else {}
        yield str(name or ""), value
