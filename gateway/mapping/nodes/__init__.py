"""Nodes: what a mapping says, as data. They do nothing; `runtime/` says what each of them means."""
