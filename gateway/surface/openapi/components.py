"""The parts of an OpenAPI document that every operation shares: headers, parameters, failures, probes. Data only."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.surface.http.error_responses import PROBLEM
from gateway.values.messages import Json


def ref(kind: str, name: str) -> dict[str, Json]:
    """Refer to a shared part: `ref("schemas", "Booking")`."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _header(meaning: str, schema: Mapping[str, Json] | None = None) -> dict[str, Json]:
    return {"description": meaning, "schema": schema or {"type": "string"}}


_PROBLEM_FIELDS: dict[str, Json] = {
    "type": {"type": "string", "description": "`urn:booking-gateway:error:` and the code."},
    "title": {"type": "string", "description": "The code in words."},
    "status": {"type": "integer", "description": "The HTTP status."},
    "detail": {"type": "string", "description": "One sentence for a person."},
    "code": {"type": "string", "description": "A code of the contract."},
    "details": {"type": "object", "description": "More, by code."},
    "provider": {"$ref": "#/components/schemas/ProviderFault", "description": "What the provider said."},
    "retryable": {"type": "boolean", "description": "Whether the same call may succeed later."},
    "request_id": {"type": "string", "description": "The request as the logs name it."},
}

SCHEMAS: dict[str, Json] = {
    "Failure": {
        "description": "The body of every failure.",
        "type": "object",
        "properties": {"error": ref("schemas", "Error")},
        "required": ["error"],
        "additionalProperties": False,
    },
    "Problem": {
        "description": "The same as problem details (RFC 9457), for `Accept: application/problem+json`.",
        "type": "object",
        "properties": _PROBLEM_FIELDS,
        "required": [name for name in _PROBLEM_FIELDS if name != "provider"],
    },
}

HEADERS: dict[str, Json] = {
    "X-Request-Id": _header("The request as the logs name it: the caller's own id, or a new one."),
    "Gateway-Support": _header(
        "How the provider supports the operation.", {"type": "string", "enum": ["native", "emulated", "degraded"]}
    ),
    "Age": _header(
        "Seconds since the provider said it; missing unless something of it was kept from an earlier call.",
        {"type": "integer", "minimum": 0},
    ),
    "ETag": _header("The object's `version`, where the provider has one."),
    "Location": _header("Path of what was made."),
    "Link": _header('The next page, `rel="next"`; missing at the end.'),
    "Preference-Applied": _header("The preference of `Prefer` that was honoured, such as `handling=lenient`."),
    "Idempotent-Replayed": _header("`true` when a kept answer is given again.", {"type": "string", "enum": ["true"]}),
    "Retry-After": _header("Seconds to wait before asking again.", {"type": "integer", "minimum": 0}),
}

KEY_PARAMETER = "IdempotencyKey"
PREFER_PARAMETER = "Prefer"
CONNECTION_PARAMETER = "Connection"

_PARAMETERS: dict[str, Json] = {
    CONNECTION_PARAMETER: {
        "name": "connection",
        "in": "path",
        "required": True,
        "description": "The connection's name.",
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
    },
    PREFER_PARAMETER: {
        "name": "Prefer",
        "in": "header",
        "required": False,
        "description": (
            "How what the provider cannot keep is handled (RFC 7240 §4.4). With `handling=lenient` fields that only"
            " describe (`lenient_arguments` in the capabilities) are left out, and `warnings` of the answer say so;"
            " without it they are refused. With `handling=strict` nothing is lost: what else would be a warning is"
            " refused, a list of which a row does not fit as well."
        ),
        "schema": {"type": "string", "examples": ["handling=lenient", "handling=strict"]},
    },
    KEY_PARAMETER: {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": (
            "Makes the request safe to repeat: for 24 hours the same key with the same request is answered as the first"
            " time, also after a restart. Answers 429 and 5xx are not kept. After `OUTCOME_UNKNOWN` the provider is"
            " read first: what was done is given, what was not done is done now. Only the first answer shows a secret."
        ),
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
}

COMPONENTS: dict[str, Json] = {
    "securitySchemes": {
        "key": {"type": "http", "scheme": "bearer", "description": "The caller's key. The admin token is none."}
    },
    "headers": HEADERS,
    "parameters": _PARAMETERS,
    "responses": {
        "Failure": {
            "description": "A failure.",
            "headers": {name: ref("headers", name) for name in ("X-Request-Id", "Retry-After", "Idempotent-Replayed")},
            "content": {
                "application/json": {"schema": ref("schemas", "Failure")},
                PROBLEM: {"schema": ref("schemas", "Problem")},
            },
        }
    },
}
