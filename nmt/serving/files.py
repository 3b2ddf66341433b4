"""Translation of files, as LibreTranslate's clients upload and download them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from pathlib import PurePath
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from nmt.atomic import JsonObject
from nmt.documents import formats
from nmt.serving import handlers, validation
from nmt.serving.http_parsing import HttpError, Parameters

if TYPE_CHECKING:
    from nmt.serving.service import Service

KEPT_BYTES = 64 << 20
"""Bytes of translated files that are kept; older ones go first."""
KEPT_SECONDS = 1800.0
"""Seconds for which a translated file may be downloaded."""
DOWNLOADS = "/download_file"


class Stored(NamedTuple):
    """A translated file."""

    name: str
    """For the client that saves it."""
    content: bytes
    until: float


class Downloads:
    """Translated files in memory, by names that cannot be guessed; they are gone with the process."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._files: OrderedDict[str, Stored] = OrderedDict()

    def add(self, name: str, content: bytes) -> str:
        """Keeps a file for a while, and returns its path."""
        ending = PurePath(name).suffix
        key = f"{secrets.token_urlsafe(24)}{ending}"
        self._files[key] = Stored(name, content, self._now() + KEPT_SECONDS)
        self._discard()
        return f"{DOWNLOADS}/{key}"

    def find(self, key: str) -> Stored:
        """The file of a path, or an error of status 404."""
        self._discard()
        if (found := self._files.get(key)) is None:
            raise HttpError(404, "There is no such file, or not any more; translate it again")
        return found

    def _discard(self) -> None:
        size = sum(len(file.content) for file in self._files.values())
        while self._files:
            oldest = next(iter(self._files.values()))
            if oldest.until >= self._now() and size <= KEPT_BYTES:
                return
            size -= len(oldest.content)
            self._files.popitem(last=False)


def add_routes(app: FastAPI, service: Service) -> None:
    """Adds upload and download."""
    downloads = Downloads()

    @app.post("/translate_file")
    async def translate_file(request: Request) -> Response:
        async def handle(parameters: Parameters) -> JsonObject:
            name, content = await _translated(parameters, service)
            return {"translatedFileUrl": str(request.base_url).rstrip("/") + downloads.add(name, content)}

        return await service.respond(request, handle)

    @app.api_route(DOWNLOADS + "/{key}", methods=["GET", "HEAD"], include_in_schema=False)
    async def download(key: str) -> Response:
        file = downloads.find(key)
        # A browser saves the file and shows none of it: its tags are a stranger's.
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        }
        return Response(file.content, media_type="application/octet-stream", headers=headers)


async def _translated(parameters: Parameters, service: Service) -> tuple[str, bytes]:
    """The name and the content of the translated file."""
    file = parameters.files.get("file")
    if file is None:
        raise HttpError(400, "Invalid request: missing file parameter")
    name = PurePath(file.name.replace("\\", "/")).name
    if not name:
        raise HttpError(400, "Invalid request: empty file")
    path = PurePath(name)
    if path.suffix.lower() not in formats.UPLOADED:
        raise HttpError(
            400, f"Invalid request: file format not supported; expected one of {', '.join(formats.UPLOADED)}"
        )
    request = validation.validate_file(parameters, service.limits, service.models)
    document = formats.open_document(name, path.suffix.lower(), file.content)
    text = await handlers.translate_document(document, file.content.decode(), request, service.models, service.batcher)
    return f"{path.stem}_{request.target}{path.suffix}", text.encode()
