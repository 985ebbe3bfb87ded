"""HTTP for our callers: routes, keys, bodies, pages and errors. Nothing here knows a provider or what a mapping says."""
