"""The API described for programs: OpenAPI 3.1, made from the same table that answers."""

from typing import Any, Final

import msgspec

from .problem import Problem
from .reads import READS, Read

_REFERENCE: Final = "#/components/schemas/{name}"


def described(version: str) -> dict[str, Any]:
    """The OpenAPI document of a version of this program."""
    kinds = [Problem, *(read.answer for read in READS), *(read.query for read in READS)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    names = {kind: schema["$ref"].rpartition("/")[2] for kind, schema in zip(kinds, schemas, strict=True)}
    queries = {read.query: components[names[read.query]] for read in READS}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ostinato", "version": version},
        "paths": {read.path: {"get": _operation(read, queries[read.query])} for read in READS},
        "components": {
            "schemas": {
                name: schema for name, schema in components.items() if name not in {kind.__name__ for kind in queries}
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(read: Read, query: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": read.about,
        "operationId": "_".join(part.strip("{}") for part in read.path.split("/")[3:]),
        "parameters": [_parameter(read, name, query) for name in query["properties"]],
        "responses": {
            "200": _content("The answer.", "application/json", read.answer),
            "default": _content("What went wrong.", "application/problem+json", Problem),
        },
    }


def _parameter(read: Read, name: str, query: dict[str, Any]) -> dict[str, Any]:
    schema = dict(query["properties"][name])
    about = schema.pop("description", None)
    place = "path" if f"{{{name}}}" in read.path else "query"
    parameter: dict[str, Any] = {"name": name, "in": place, "required": place == "path", "schema": schema}
    return parameter if about is None else {**parameter, "description": about}


def _content(about: str, media_type: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name=kind.__name__)}
    return {"description": about, "content": {media_type: {"schema": schema}}}
