"""The OpenAPI documents: what is true of this gateway, for clients made of it."""
