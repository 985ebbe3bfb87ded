"""What a session is made of: its token, when that is over, how it is renewed, and what OAuth 2.0 asks besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias

from gateway.mapping.expressions import Path
from gateway.mapping.nodes.calls import CallPlan
from gateway.mapping.nodes.trees import Tree

Unit: TypeAlias = Literal["seconds", "epoch", "epoch_ms", "iso8601"]
"""What an answer's word on the end of a token is: seconds from now, or an instant."""


@dataclass(frozen=True, slots=True)
class FromHeader:
    """A token that stands in a header of the answer; the name is in lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class FromCookie:
    """A token that stands in a cookie which the answer sets."""

    name: str


TokenSource: TypeAlias = Path | FromHeader | FromCookie


@dataclass(frozen=True, slots=True)
class After:
    """A token is over so many seconds after it was fetched."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AsTold:
    """A token is over when its answer says so, and is renewed `margin` seconds before, or after half of its life."""

    at: Path
    unit: Unit
    margin: float


Expiry: TypeAlias = After | AsTold


@dataclass(frozen=True, slots=True)
class Refreshing:
    """How a session is renewed without another login."""

    call: CallPlan
    """Sees `refresh_token`."""
    token: Path
    """Where answers have what the next renewal needs."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What the gateway signs itself (RFC 7523): a call sees it as `assertion`."""

    algorithm: str
    key: Tree
    header: Tree
    """`kid`, where there is one."""
    claims: Tree
    """All but `iat`, `exp` and `jti`."""
    lifetime: float
    """Seconds from `iat` to `exp`."""
    origin: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """The first token is fetched whenever it is needed: nobody has to do anything for it."""

    kept: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Given:
    """The first refresh token is a setting's; each may be the last one's only use (`rotates`)."""

    token: Tree
    rotates: bool
    kept: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Agreed:
    """The first refresh token comes of a person who agrees in a browser (RFC 6749, section 4.1, with RFC 7636)."""

    page: CallPlan
    """The address, a GET that a browser makes."""
    query: Tree
    """Its parameters, but for those of this one login."""
    exchange: CallPlan
    """Sees `code`, `redirect_uri` and `code_verifier`."""
    rotates: bool
    kept: ClassVar[bool] = True


FETCHED: Final = Fetched()
Beginning: TypeAlias = Fetched | Given | Agreed
"""How a session begins. `kept` says whether it ends for good when what it lives by is lost."""
