"""HTTP for our callers: routes, keys, bodies, pages and errors. Nothing here knows what a mapping says."""
