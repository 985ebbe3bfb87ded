"""What of a Request may go on the wire: its URL, query and headers, checked and joined. No I/O here.

Nothing is repaired. A template that renders a line break into a header, or user information into a URL, is a fault of
the mapping, and what it was meant to send is unknown. No message holds the value it complains about.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from urllib.parse import quote

from yarl import URL

from gateway.values.errors import MappingFault
from gateway.values.http import NAME, VALUE, is_own
from gateway.values.messages import Request

# RFC 3986 §2: visible ASCII, everything else percent-encoded. The other characters left out are read differently by
# different parsers, and a fragment never leaves the client: a query appended behind one would be lost.
_URL_TEXT = re.compile(r'[^\x00-\x20\x7f-\U0010ffff"#<>\\^`{|}]+')

# RFC 1123 §2.1, with the underscore that real names hold. A longer label makes the resolver fail in a way of its own.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")


def target(request: Request) -> URL:
    """Return the URL to ask: `request.query` is appended, a space as `%20` and `+` as `%2B`; the rest stays as it is.

    Raises MappingFault unless it is an http or https URL in visible ASCII with a host, no user name and no fragment.
    """
    if not _URL_TEXT.fullmatch(request.url):
        raise MappingFault("The URL of a call holds a fragment or a character that must be percent-encoded.")
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in request.query)
    joint = "&" if "?" in request.url else "?"
    try:
        url = URL(request.url + joint + pairs if pairs else request.url, encoded=True)
        host, port = url.raw_host, url.explicit_port  # yarl reads a port only when asked, and raises then
    except ValueError:
        raise MappingFault("The URL of a call cannot be read.") from None
    if url.scheme not in {"http", "https"}:
        raise MappingFault("The URL of a call must begin with http:// or https://.")
    if "@" in url.raw_authority:
        raise MappingFault("The URL of a call must hold no user name or password; `auth:` sends credentials.")
    if host is None or port == 0 or not _is_host(host):
        raise MappingFault("The URL of a call holds no usable host.")
    return url


@lru_cache(maxsize=1024)
def _is_host(text: str) -> bool:
    """Tell whether `text` is a name, or an address in its usual form: not `127.1`, `2130706433` or one with a scope."""
    if ":" in text or text.replace(".", "").isdigit():
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return not isinstance(address, ipaddress.IPv6Address) or address.scope_id is None
    return _NAME.fullmatch(text) is not None


def check_headers(request: Request) -> None:
    """Raise MappingFault for a name that is no token, a value that is not printable Latin-1, or a field of our own."""
    for name, value in request.headers:
        if not NAME.fullmatch(name):
            raise MappingFault("The name of a header holds a character that no header name may hold.")
        if is_own(name, value):
            raise MappingFault(f"The header {name.lower()} is written by the gateway; a mapping cannot set it.")
        if not VALUE.fullmatch(value):
            raise MappingFault(f"The value of the header {name.lower()} holds a character that no header may hold.")
