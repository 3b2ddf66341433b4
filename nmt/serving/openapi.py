"""The OpenAPI document of the interface."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeAlias

from nmt.documents import formats

if TYPE_CHECKING:
    from nmt.serving.admission import Limits
    from nmt.serving.models import Models

VERSION = version("nmt-recipes")
Schema: TypeAlias = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
ERROR: Schema = {"type": "object", "properties": {"error": TEXT}, "required": ["error"]}
GUESS: Schema = {
    "type": "object",
    "properties": {"confidence": NUMBER, "language": TEXT},
    "required": ["confidence", "language"],
}
STATUSES = {
    "400": "The request is wrong, is larger than a limit of the server, or lacks the key that it needs.",
    "403": "The key is wrong.",
    "408": "The body of the request did not arrive in time.",
    "413": "The body of the request is larger than allowed.",
    "500": "The server failed on this request.",
    "503": "The queue is full, or the server is shutting down; Retry-After says when to try again.",
    "504": "The request was not answered in time.",
}
PATHS = {
    **dict.fromkeys(("/translate", "/inspect", "/detect", "/suggest", "/translate_file"), "post"),
    **dict.fromkeys(("/languages", "/frontend/settings", "/health", "/ready", "/metrics", "/openapi.json"), "get"),
}
"""Every path of the interface, and its method."""


def document(limits: Limits, models: Models) -> Schema:
    """The document (OpenAPI 3.1) with the limits and languages of this server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "nmt", "version": VERSION, "description": "Translates. Compatible with LibreTranslate."},
        "paths": {
            "/translate": {"post": _queued("Translate texts", _translate(limits, models), _translated())},
            "/inspect": {
                "post": _queued(
                    "Look at one sentence: attention, occlusion or gates", _inspect(limits, models), _interpretation()
                )
            },
            "/detect": {
                "post": _queued(
                    "Tell the language of a text, best guess first", _detect(limits), {"type": "array", "items": GUESS}
                )
            },
            "/suggest": {"post": _switched_off("Suggest a better translation; switched off")},
            "/translate_file": {"post": _file(models)},
            "/languages": {
                "get": _status(
                    "The languages and what each is translated into", {"type": "array", "items": _language()}
                )
            },
            "/frontend/settings": {"get": _status("What a page needs to know", {"type": "object"})},
            "/health": {
                "get": _status(
                    "Whether the server is alive", {"type": "object", "properties": {"status": {"const": "ok"}}}
                )
            },
            "/ready": {"get": _status("Whether a request would be accepted now", {"type": "object"}, "503")},
            "/metrics": {"get": _metrics()},
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _queued(summary: str, body: Schema, result: Schema) -> Schema:
    """A route that reads a body and needs the queue; a key is needed only if the server has keys."""
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    content = {kind: {"schema": body if kind == kinds[0] else _as_form(body)} for kind in kinds}
    return {
        "summary": summary,
        "security": [{}, {"key": []}],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _response("The answer.", result),
            **{status: _response(STATUSES[status], ERROR) for status in STATUSES},
        },
    }


def _as_form(body: Schema) -> Schema:
    """The same body as a form, which cannot hold a list."""
    properties = {**body["properties"], "q": {"type": "string"}}
    return {**body, "properties": properties}


def _status(summary: str, result: Schema, *statuses: str) -> Schema:
    return {
        "summary": summary,
        "responses": {
            "200": _response("The answer.", result),
            **{each: _response(STATUSES[each], ERROR) for each in statuses},
        },
    }


def _file(models: Models) -> Schema:
    properties = {
        "file": {
            "type": "string",
            "format": "binary",
            "description": f"Its name ends in {', '.join(formats.UPLOADED)}.",
        },
        **_pair(models),
    }
    body = {"type": "object", "properties": properties, "required": ["file", "source", "target"]}
    found = {"type": "object", "properties": {"translatedFileUrl": TEXT}, "required": ["translatedFileUrl"]}
    queued = _queued("Translate a file; the answer says where to download it", {"properties": {}}, found)
    return {**queued, "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": body}}}}


def _switched_off(summary: str) -> Schema:
    return {"summary": summary, "responses": {"403": _response("It is switched off.", ERROR)}}


def _metrics() -> Schema:
    found = {"description": "Counters in the text format of Prometheus.", "content": {"text/plain": {"schema": TEXT}}}
    refused = {status: _response(STATUSES[status], ERROR) for status in ("400", "403")}
    return {
        "summary": "What the server has done",
        "security": [{}, {"key": []}],
        "responses": {"200": found, **refused},
    }


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _language() -> Schema:
    properties = {"code": TEXT, "name": TEXT, "targets": {"type": "array", "items": TEXT}}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _texts(limits: Limits) -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": limits.characters}
    return {
        "oneOf": [text, {"type": "array", "items": {**text, "minLength": 0}, "minItems": 1, "maxItems": limits.items}]
    }


def _pair(models: Models) -> Schema:
    return {
        "source": {
            "enum": ["auto", *models.codes],
            "description": "In upper or lower case; a region that is not served is passed over.",
        },
        "target": {"enum": models.codes},
        "model": {
            "type": "string",
            "description": "Of several models for this pair, the one to take; its name is in /frontend/settings.",
        },
        "api_key": {"type": "string", "description": "Where the server asks for one; or as Authorization: Bearer."},
    }


def _translate(limits: Limits, models: Models) -> Schema:
    properties = {
        "q": _texts(limits),
        **_pair(models),
        "format": {"enum": ["text", "html"], "default": "text"},
        "alternatives": {"type": "integer", "minimum": 0, "maximum": limits.alternatives, "default": 0},
        "details": {
            "type": "boolean",
            "default": False,
            "description": "Also scores, pieces, alignment and warnings of every sentence.",
        },
    }
    return {"type": "object", "properties": properties, "required": ["q", "source", "target"]}


def _translated() -> Schema:
    def each(schema: Schema) -> Schema:
        return {"oneOf": [schema, {"type": "array", "items": schema}]}

    properties = {
        "translatedText": each(TEXT),
        "detectedLanguage": each(GUESS),
        "alternatives": each({"type": "array", "items": TEXT}),
        "details": {"type": "array"},
    }
    # An empty list of alternatives is as good as an empty list of lists of them.
    properties["alternatives"] = {"anyOf": properties["alternatives"]["oneOf"]}
    return {"type": "object", "properties": properties, "required": ["translatedText"]}


def _inspect(limits: Limits, models: Models) -> Schema:
    text = {"type": "string", "minLength": 1, "maxLength": limits.characters}
    properties = {"q": text, **_pair(models), "kind": {"enum": ["attention", "occlusion", "gates"]}}
    return {"type": "object", "properties": properties, "required": ["q", "source", "target"]}


def _interpretation() -> Schema:
    properties = {
        "kind": TEXT,
        "text": TEXT,
        "rows": {"type": "array"},
        "columns": {"type": "array"},
        "values": {"type": "array"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _detect(limits: Limits) -> Schema:
    properties = {"q": _texts(limits), "api_key": {"type": "string"}}
    return {"type": "object", "properties": properties, "required": ["q"]}
