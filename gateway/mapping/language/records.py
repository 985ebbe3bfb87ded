"""Field tables: where a provider keeps each field of the contract."""

from __future__ import annotations

from typing import Annotated, Literal

from gateway.documents.parts import CodecSpec, Names, Node, OnRow, PathText, Scalar, Tree, key, part
from gateway.mapping.language.results import Level
from gateway.values.messages import Json


@part("field", "one of `fields`; a path alone is its `at`", short="at")
class Field(Node):
    """Where one field of the contract comes from."""

    at: PathText | list[Json] | None = key("path in the row, or several", example="start_date_time")
    as_: CodecSpec | None = key("the codec that reads and writes it", example="integer_text")
    value: Scalar | list[Json] | dict[str, Json] | None = key("a constant", nullable=True, example="appointment")
    compute: Tree | None = key(
        "computed from row, fields, settings, args and steps", example="{{ fields.start | add_minutes(30) }}"
    )
    from_: list[str] | None = key(
        "built from these canonical fields of the lines above", example=["service_id", "start"]
    )
    record: str | None = key("the record of an embedded object or of a list of them", example="price")
    rows: PathText | list[Level] | None = key(
        "path to the rows of a list of embedded objects, or named levels", example="values(instances)"
    )
    when: OnRow | None = key("what must hold of the row, else the field is left out", example="price != `null`")
    default: Json | None = key("used when the provider has none", nullable=True, example=1)
    mode: Literal["read", "write", "both"] | None = key("the direction it is used in", example="write")
    remember: bool | None = key("the provider cannot tell it: what the gateway knows of it goes before", example=True)


@part("record", "one of `records`")
class Record(Node):
    """A field table."""

    of: Annotated[str, Names("resource")] = key("the canonical resource, or the object inside one", example="Service")
    null_as: str | None = key("what is written where the canonical value is null; else null is not written", example="")
    private: list[str] | None = key("provider fields that provider_data never shows", example=["hash"])
    fields: dict[str, Field] = key("canonical field: where the provider keeps it", example={"name": "title"})
