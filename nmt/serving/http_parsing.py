"""Requests as clients send them (JSON, form, multipart or query string) and answers as they expect them, LibreTranslate's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

if TYPE_CHECKING:
    from nmt.serving.limits import Limits

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FIELDS = 50
"""Fields of a form; more is an error."""
DISCARDED = 8
"""How many times the limit of a body is read and thrown away, so that its sender gets to read why it was refused."""


class HttpError(Exception):
    """What ends a request with an error: a status, and a text that says what was expected."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(self) -> Response:
        """The error as clients expect it."""
        return answer({"error": self.text}, self.status, self.headers)


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON; kept by nobody on the way."""
    body = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf8", "replace")
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


@dataclass(frozen=True)
class Fields:
    """The parameters of a request."""

    values: Mapping[str, Any]
    typed: bool
    """Whether they came as JSON, in which a number is a number; elsewhere everything is text."""

    def text(self, name: str) -> str | None:
        """A parameter that has to be a string; None where it is missing or empty."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise HttpError(400, f"Invalid request: {name} parameter is not a string")
        return whole(value) if value else None

    def required(self, name: str) -> str:
        """A parameter that may not be missing."""
        if (value := self.text(name)) is None:
            raise HttpError(400, f"Invalid request: missing {name} parameter")
        return value

    def flag(self, name: str) -> bool:
        """A parameter that is true or false; false where it is missing."""
        value = self.values.get(name, False)
        if isinstance(value, str):
            value = {"true": True, "1": True, "false": False, "0": False, "": False}.get(value.lower())
        if not isinstance(value, bool):
            raise HttpError(400, f"Invalid request: {name} parameter is not true or false")
        return value


async def fields(request: Request, limits: Limits) -> Fields:
    """The parameters, wherever they stand. Reading takes its time and no more, and holds no more than the limit of a body."""
    try:
        async with asyncio.timeout(limits.reading):
            body = await _body(request, limits.body)
    except TimeoutError:
        raise HttpError(
            408, f"Invalid request: its body did not arrive within {limits.reading:g} seconds", Connection="close"
        ) from None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return Fields(_object(body), typed=True)
    form = _pairs(body) if kind == FORM else await _multipart(request, body, limits.body) if kind == MULTIPART else []
    # Where a parameter stands twice, the query comes before the form, and of a place the first one counts.
    pairs = [*_pairs(request.scope["query_string"]), *form]
    return Fields({name: _lines(value) for name, value in reversed(pairs)}, typed=False)


def whole(text: str) -> str:
    """A text whose halves of surrogate pairs, which JSON can spell and UTF-8 cannot, are replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


async def _body(request: Request, most: int) -> bytes:
    """The whole body; of one that is too long only its length is found out."""
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
        raise HttpError(413, f"Invalid request: its body is larger than {most} bytes", Connection="close")
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HttpError(400, "Invalid JSON format")
    return value


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """The fields of a form or a query; UTF-8 that was not escaped is taken for what it is."""
    try:
        return parse_qsl(encoded.decode("utf8", "replace"), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError as error:
        raise HttpError(400, f"Invalid request: it has more than {FIELDS} fields") from error


async def _multipart(request: Request, body: bytes, most: int) -> list[tuple[str, str]]:
    """The fields of a form of several parts; files are passed over."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    read = Request(request.scope, receive)
    try:
        async with read.form(max_files=FIELDS, max_fields=FIELDS, max_part_size=most) as form:
            return [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
    except (HTTPException, ValueError, KeyError) as error:
        raise HttpError(400, "Invalid request: its form cannot be read") from error


def _lines(text: str) -> str:
    """With line feeds alone, as browsers send them otherwise in forms."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
