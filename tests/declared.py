"""What an answer must be like, as the file says that declares its operation."""

import re

from jsonschema import Draft202012Validator

from gateway.model.model import load

OPERATIONS = load().gateway.operations
PATTERNS = {name: re.compile(re.sub(r"\{\w+\}", "[^/]+", one.path)) for name, one in OPERATIONS.items()}
COMPONENTS = {"schemas": load().schemas() | load().gateway.schemas()}


def problems(method, path, status, body):
    """Give what is undeclared in an answer of one of the gateway's own operations, or lacks; of a failure nothing."""
    bare = path.partition("?")[0]
    found = [one for name, one in OPERATIONS.items() if one.method == method and PATTERNS[name].fullmatch(bare)]
    if not found or status >= 400:
        return []
    (operation,) = found[:1]
    if status != operation.status:
        return [f"{operation.name}: {status} is not declared"]
    if operation.resource is None:
        return []
    schema = operation.resource.type.schema()
    if operation.gives == "list":
        page = {"$ref": "#/components/schemas/Page"}
        properties = {"data": {"items": schema}, "page": page}
        schema = {"properties": properties, "required": ["data", "page"], "additionalProperties": False}
    whole = schema | {"components": COMPONENTS}
    return [f"{operation.name}: {one.message}" for one in Draft202012Validator(whole).iter_errors(body)]
