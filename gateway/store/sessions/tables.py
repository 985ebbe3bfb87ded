"""The tables of sessions at providers. Moments are milliseconds since 1970."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text, text

from gateway.store.tables import METADATA

tokens = Table(
    "tokens",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("sealed", LargeBinary),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("lease", Integer, nullable=False, server_default=text("0")),
    Column("leased_until", BigInteger, nullable=False, server_default=text("0")),
    Column("holder", String(40), nullable=False, server_default=text("''")),
    Column("refused_until", BigInteger, nullable=False, server_default=text("0")),
    Column("refusals", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text),
    Column("updated_at", BigInteger, nullable=False, server_default=text("0")),
)
"""What sessions at providers live by, one row for all that have the same credentials: `name` is a keyed hash of these,
`sealed` is encrypted with the `state_key`, and `version` counts what was written there. Who holds the lease renews it.
After `refusals` in a row nobody logs in before `refused_until`; `reason` is what the provider called the last one. The
row `salt` has the key of that hash."""

logins = Table(
    "logins",
    METADATA,
    Column("state", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)
"""Logins that a person has begun and not ended: `state` is the SHA-256 of what comes back with the code, in hex."""
