"""The web application: routes, the page's files, and error responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from nmt.atomic import JsonObject
from nmt.documents import formats
from nmt.interpret.interpretation import METHODS
from nmt.serving import files, handlers, languages, openapi, validation
from nmt.serving.http_parsing import HttpError, Parameters, json_response
from nmt.serving.middleware import FAILED, AdmissionMiddleware, ObservingMiddleware
from nmt.serving.service import Service
from nmt.text import detection

_NOTHING = ("default-src", "base-uri", "form-action", "frame-ancestors")
_SELF = ("script-src", "style-src", "connect-src", "img-src")
POLICY = "; ".join([*(f"{what} 'none'" for what in _NOTHING), *(f"{what} 'self'" for what in _SELF)])
"""The content security policy: the page loads its own script, style and images, and calls its own server."""
PAGE = {
    "/": ("index.html", "text/html"),
    "/docs": ("docs.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript")
        for name in ("page", "docs", "dom", "server", "words", "heatmap")
    },
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
NO_SUGGESTIONS = "Suggestions are disabled on this server."


def build(service: Service, origins: Sequence[str] = ()) -> ASGIApp:
    """The application; pages of the given origins may call it too."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.batcher.close()

    app = FastAPI(title="nmt", version=openapi.VERSION, docs_url=None, redoc_url=None, lifespan=lifespan)
    _add_queued_routes(app, service)
    files.add_routes(app, service)
    _add_status_routes(app, service)
    _add_page(app)
    app.add_exception_handler(HttpError, _http_error)
    app.add_exception_handler(HTTPException, _starlette_error)
    app.add_exception_handler(Exception, _failed)
    # Requests are parsed by hand, so they are described by hand.
    app.openapi = lambda: openapi.document(service.limits, service.models)  # type: ignore[method-assign]
    admitted: ASGIApp = AdmissionMiddleware(app, service)
    if origins:
        headers = ["Content-Type", "Authorization"]
        admitted = CORSMiddleware(admitted, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=headers)
    return ObservingMiddleware(admitted, service)


def _add_queued_routes(app: FastAPI, service: Service) -> None:
    models, limits, batcher = service.models, service.limits, service.batcher

    @app.post("/translate")
    async def translate(request: Request) -> Response:
        async def handle(parameters: Parameters) -> Any:
            return await handlers.translate(validation.validate(parameters, limits, models), models, batcher)

        return await service.respond(request, handle)

    @app.post("/inspect")
    async def inspect(request: Request) -> Response:
        async def handle(parameters: Parameters) -> Any:
            valid = validation.validate(parameters, limits, models)
            if len(valid.texts) > 1:
                raise HttpError(400, "Invalid request: q parameter is more than one text")
            if (kind := parameters.text("kind")) not in (None, *METHODS):
                raise HttpError(400, f"{kind} is not a kind; expected one of {', '.join(METHODS)}")
            return await handlers.inspect(valid, kind, models, batcher)

        return await service.respond(request, handle)

    @app.post("/detect")
    async def detect(request: Request) -> Response:
        async def handle(parameters: Parameters) -> Any:
            texts, _ = validation.read_texts(parameters)
            return handlers.detect("\n".join(validation.within_limits(texts, limits)), models)

        return await service.respond(request, handle)

    @app.post("/suggest")
    async def suggest() -> Response:
        raise HttpError(403, NO_SUGGESTIONS)


def _add_status_routes(app: FastAPI, service: Service) -> None:
    models, status = service.models, partial(app.api_route, methods=["GET", "HEAD"])

    @status("/languages")
    async def list_languages() -> Response:
        return json_response(models.languages())

    @status("/frontend/settings")
    async def settings() -> Response:
        return json_response(_settings(service))

    @status("/health")
    async def health() -> Response:
        return json_response({"status": "ok"})

    @status("/ready")
    async def ready() -> Response:
        if service.refusal:
            raise HttpError(503, "not ready", {"Retry-After": "1"})
        return json_response({"status": "ready"})

    @status("/metrics")
    async def metrics(request: Request) -> Response:
        service.check_key(request)
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


def _settings(service: Service) -> JsonObject:
    """The settings that pages read first. `detection`, `alternatives` and `models` extend LibreTranslate's."""
    first = service.models.all[0]
    return {
        "charLimit": service.limits.characters,
        "frontendTimeout": 500,
        "apiKeys": service.keys is not None,
        "keyRequired": service.keys is not None,
        "suggestions": False,
        "filesTranslation": True,
        "supportedFilesFormat": list(formats.UPLOADED),
        "language": {
            "source": {"code": languages.AUTO, "name": "Auto Detect"},
            "target": {"code": first.target, "name": languages.name(first.target)},
        },
        "detection": detection.available(),
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


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return error.response()


async def _starlette_error(_: Request, error: Exception) -> Response:
    """Unknown paths and methods that are not allowed."""
    assert isinstance(error, HTTPException)
    return json_response({"error": error.detail}, error.status_code, error.headers)


async def _failed(_: Request, error: Exception) -> Response:
    """The exception is raised again, and `ObservingMiddleware` reports it."""
    return FAILED.response()
