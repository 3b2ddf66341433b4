"""Parameters of requests (JSON, form, multipart, query string) and JSON responses, compatible with LibreTranslate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from nmt import printable
from nmt.atomic import JsonObject

if TYPE_CHECKING:
    from nmt.serving.admission import Limits

CLOSE = {"Connection": "close"}
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FIELDS = 50
"""Most fields of a form."""
DISCARDED = 8
"""Of a body that is too large, so many times the limit is read and discarded, so that its sender reads the response."""


class HttpError(Exception):
    """An error response: a status, and a text that says what was expected."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, headers

    def response(self) -> Response:
        """``{"error": text}``, as clients expect it."""
        return json_response({"error": self.text}, self.status, self.headers)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON that no proxy may cache."""
    body = printable.dumps(value, allow_nan=False).encode()
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


class Upload(NamedTuple):
    """A file that was sent."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Parameters:
    """The parameters of a request; outside JSON all values are strings."""

    values: Mapping[str, Any]
    files: Mapping[str, Upload] = field(default_factory=dict)
    """Those of a multipart form."""

    def text(self, name: str) -> str | None:
        """A string parameter; None if it is missing or empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise HttpError(400, f"Invalid request: {name} parameter is not a string")
        return replace_surrogates(value) if value else None

    def required(self, name: str) -> str:
        """A string parameter that may not be missing or empty."""
        if (value := self.text(name)) is None:
            raise HttpError(400, f"Invalid request: missing {name} parameter")
        return value

    def flag(self, name: str) -> bool:
        """A boolean parameter; False if it is missing."""
        value = self.values.get(name, False)
        if isinstance(value, str):
            value = {"true": True, "1": True, "false": False, "0": False, "": False}.get(value.lower())
        if not isinstance(value, bool):
            raise HttpError(400, f"Invalid request: {name} parameter is not true or false")
        return value


async def read_parameters(request: Request, limits: Limits) -> Parameters:
    """The parameters of a request, within the limits of time and size of its body."""
    try:
        async with asyncio.timeout(limits.reading):
            body = await _body(request, limits.body)
    except TimeoutError:
        raise HttpError(
            408, f"Invalid request: its body did not arrive within {limits.reading:g} seconds", CLOSE
        ) from None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return Parameters(_json_object(body))
    form, files = await _multipart(request, body, limits.body) if kind == MULTIPART else ([], {})
    form = _pairs(body) if kind == FORM else form
    # Of a parameter given twice, the first counts, and the query comes before the form.
    pairs = [*_pairs(request.scope["query_string"]), *form]
    return Parameters({name: _unix_lines(value) for name, value in reversed(pairs)}, files)


def replace_surrogates(text: str) -> str:
    """A text without lone surrogates, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


async def _body(request: Request, most: int) -> bytes:
    """The whole body; one that is too long is counted and not kept."""
    body, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= most:
                body += chunk
            elif size > DISCARDED * most:
                break
    except ClientDisconnect:
        raise HttpError(499, "the client hung up") from None
    if size > most:
        raise HttpError(413, f"Invalid request: its body is larger than {most} bytes", CLOSE)
    return bytes(body)


def _json_object(body: bytes) -> JsonObject:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HttpError(400, "Invalid JSON format")
    return value


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """The fields of a form or a query; unescaped UTF-8 is accepted."""
    try:
        return parse_qsl(encoded.decode("utf8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError as error:
        raise HttpError(400, f"Invalid request: it has more than {FIELDS} fields") from error


async def _multipart(request: Request, body: bytes, most: int) -> tuple[list[tuple[str, str]], dict[str, Upload]]:
    """The fields of a multipart form, and its files."""

    async def receive() -> JsonObject:
        return {"type": "http.request", "body": body, "more_body": False}

    read = Request(request.scope, receive)
    try:
        async with read.form(max_files=FIELDS, max_fields=FIELDS, max_part_size=most) as form:
            fields = [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
            uploads = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
            return fields, {name: Upload(each.filename or "", await each.read()) for name, each in uploads}
    except (HTTPException, ValueError, KeyError) as error:
        raise HttpError(400, "Invalid request: its form cannot be read") from error


def _unix_lines(text: str) -> str:
    """The text with line feeds only; browsers send CRLF in forms."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
