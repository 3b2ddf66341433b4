"""The routes, and what stands around them all: counters, headers that close what need not be open, and errors that tell nothing."""

from __future__ import annotations

import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from time import monotonic
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nmt.interpret.methods import METHODS
from nmt.serving import answers, http_parsing, languages, openapi, parameters
from nmt.serving.http_parsing import HttpError
from nmt.serving.service import CLOSED, Service

_NOWHERE, _HERE = (
    ("default-src", "base-uri", "form-action", "frame-ancestors"),
    ("script-src", "style-src", "connect-src", "img-src"),
)
POLICY = "; ".join([*(f"{what} 'none'" for what in _NOWHERE), *(f"{what} 'self'" for what in _HERE)])
"""What the page may do: load its own script, style and pictures, and ask its own server."""
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
PAGE = {
    "/": ("index.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
NO_FILES, NO_SUGGESTIONS = "Files translation are disabled on this server.", "Suggestions are disabled on this server."
COSTLY = ("/translate", "/inspect", "/detect")
"""What takes room."""
FAILED = HttpError(500, "This server failed; the request may be tried again")


class Guard:
    """Around everything: counts and times requests, adds headers, and turns what went wrong into an error that tells nothing."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            report(error)
            if not status:
                await FAILED.answer()(scope, receive, sending)
        finally:
            self.service.metrics.answered(scope["path"], status or CLOSED, monotonic() - begun)


class Door:
    """Turns away, before anything is looked up or read, what there is no room for: of a flood, that is nearly everything."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = (
            self.service.refusal
            if scope["type"] == "http" and scope["path"] in COSTLY and scope["method"] == "POST"
            else None
        )
        await (refusal.answer() if refusal else self.app)(scope, receive, send)


def report(error: Exception) -> None:
    """Says on stderr what failed and where, but not on what: the message of an error may hold a text that somebody wanted translated."""
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-3:]
    ]
    print(f"nmt serve: {type(error).__name__} at {' < '.join(reversed(frames))}", file=sys.stderr, flush=True)


def build(service: Service, origins: Sequence[str] = ()) -> ASGIApp:
    """The application; pages of the given origins may use it too."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.batcher.close()

    app = FastAPI(title="nmt", version=openapi.VERSION, docs_url=None, redoc_url=None, lifespan=lifespan)
    _add_translation(app, service)
    _add_facts(app, service)
    _add_page(app)
    app.add_exception_handler(HttpError, _refused)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(Exception, _failed)
    app.openapi = lambda: openapi.document(service.limits, service.models)  # type: ignore[method-assign]  # requests are read by hand, and described by hand
    whole: ASGIApp = Door(app, service)
    if origins:
        whole = CORSMiddleware(
            whole, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["Content-Type", "Authorization"]
        )
    return Guard(whole, service)


def _add_translation(app: FastAPI, service: Service) -> None:
    models, limits, batcher = service.models, service.limits, service.batcher

    @app.post("/translate")
    async def translate(request: Request) -> Response:
        async def answer(given: http_parsing.Fields) -> Any:
            return await answers.translate(parameters.checked(given, limits, models), models, batcher)

        return await service.work(request, answer)

    @app.post("/inspect")
    async def inspect(request: Request) -> Response:
        async def answer(given: http_parsing.Fields) -> Any:
            asked = parameters.checked(given, limits, models)
            if len(asked.texts) > 1:
                raise HttpError(400, "Invalid request: q parameter is more than one text")
            if (kind := given.text("kind")) not in (None, *METHODS):
                raise HttpError(400, f"{kind} is not a kind; expected one of {', '.join(METHODS)}")
            return await answers.inspect(asked, kind, models, batcher)

        return await service.work(request, answer)

    @app.post("/detect")
    async def detect(request: Request) -> Response:
        async def answer(given: http_parsing.Fields) -> Any:
            texts, _ = parameters.texts(given)
            parameters.check_size(texts, limits)
            return answers.detect("\n".join(texts), models)

        return await service.work(request, answer)

    @app.post("/suggest")
    async def suggest() -> Response:
        raise HttpError(403, NO_SUGGESTIONS)

    @app.post("/translate_file")
    async def translate_file() -> Response:
        raise HttpError(403, NO_FILES)


def _add_facts(app: FastAPI, service: Service) -> None:
    models = service.models

    @app.get("/languages")
    async def list_languages() -> Response:
        return http_parsing.answer(models.languages())

    @app.get("/frontend/settings")
    async def settings() -> Response:
        return http_parsing.answer(_settings(service))

    @app.get("/health")
    async def health() -> Response:
        return http_parsing.answer({"status": "ok"})

    @app.get("/ready")
    async def ready() -> Response:
        if service.refusal:
            raise HttpError(503, "not ready", Retry_After="1")
        return http_parsing.answer({"status": "ready"})

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        service.admit(request)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


def _settings(service: Service) -> dict[str, Any]:
    """What pages ask first. Models, and what can tell languages apart, are ours."""
    first = service.models.all[0]
    return {
        "charLimit": service.limits.characters,
        "frontendTimeout": 500,
        "apiKeys": service.keys is not None,
        "keyRequired": service.keys is not None,
        "suggestions": False,
        "filesTranslation": False,
        "supportedFilesFormat": [],
        "language": {
            "source": {"code": languages.AUTO, "name": "Auto Detect"},
            "target": {"code": first.target, "name": languages.name(first.target)},
        },
        "detection": languages.detection(),
        "alternatives": service.limits.alternatives,
        "models": [model.as_json() for model in service.models.all],
    }


def _add_page(app: FastAPI) -> None:
    folder = resources.files("nmt.serving") / "page"
    for path, (name, kind) in PAGE.items():
        app.add_api_route(
            path, _file((folder / name).read_bytes(), kind), methods=["GET", "HEAD"], include_in_schema=False
        )


def _file(content: bytes, kind: str) -> Callable[[], Coroutine[Any, Any, Response]]:
    async def get() -> Response:
        return Response(
            content, media_type=kind, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        )

    return get


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, HttpError)
    return refusal.answer()


async def _not_found(_: Request, error: Exception) -> Response:
    """Paths and methods that there are not, in the words of HTTP."""
    assert isinstance(error, HTTPException)
    return http_parsing.answer({"error": error.detail}, error.status_code, error.headers)


async def _failed(_: Request, error: Exception) -> Response:
    """The error goes on to `Guard`, which reports it."""
    return FAILED.answer()
