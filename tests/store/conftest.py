"""Every test of the store runs on each kind of database."""

from tests.databases import postgresql_server, store_url

__all__ = ["postgresql_server", "store_url"]
