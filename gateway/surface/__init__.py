"""HTTP for our callers: routes, keys, bodies, pages and errors. Nothing here knows a provider or a mapping's language."""
