"""From a step of a plan to the provider and back: the layers of the way out, built once for a connection."""
