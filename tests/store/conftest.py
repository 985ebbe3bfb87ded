"""Every test of the store runs on each kind of database."""

from tests.databases import empty_url, postgresql_server, postgresql_store, store_url

__all__ = ["empty_url", "postgresql_server", "postgresql_store", "store_url"]
