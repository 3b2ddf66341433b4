"""`nmt serve`: runs as a service."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.output import logger, say
from nmt.cpu_tuning import keep_few_kernels
from nmt.errors import UserError
from nmt.serving.limits import Limits

if TYPE_CHECKING:
    from nmt.serving.models import Models

NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "lxml")
USUAL = Limits()


def serve(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="RUN...", help="Run folders; of one language pair, the first is used."),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; 0.0.0.0 lets in other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes one that is free.")] = 5000,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="A file with hashes of API keys; without it, no key is needed.")
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option("--new-key", metavar="NAME", help="Make a key, add its hash to --keys, print it, and leave."),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", help="A site whose pages may use the service, as https://a.org."),
    ] = None,
    body: Annotated[int, typer.Option("--body", help="Most bytes of a request.")] = USUAL.body,
    characters: Annotated[int, typer.Option("--characters", help="Most characters of a text.")] = USUAL.characters,
    items: Annotated[int, typer.Option("--items", help="Most texts of a request.")] = USUAL.items,
    alternatives: Annotated[
        int, typer.Option("--alternatives", help="Most alternatives of a text.")
    ] = USUAL.alternatives,
    output: Annotated[int, typer.Option("--output", help="Most pieces of a translated sentence.")] = USUAL.output,
    queue: Annotated[int, typer.Option("--queue", help="Source pieces that may wait.")] = USUAL.queue,
    batch: Annotated[int, typer.Option("--batch", help="Source pieces translated at a time.")] = USUAL.batch,
    deadline: Annotated[float, typer.Option("--deadline", help="Seconds until an answer.")] = USUAL.deadline,
    reading: Annotated[float, typer.Option("--reading", help="Seconds for a request to arrive.")] = USUAL.reading,
    connections: Annotated[int, typer.Option("--connections", help="Most open connections.")] = USUAL.connections,
    grace: Annotated[float, typer.Option("--grace", help="Seconds for the last answers after SIGTERM.")] = USUAL.grace,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
) -> None:
    """Serve runs over HTTP, for clients of LibreTranslate and for people: a page at / shows what the models do.

    Requests are translated together where they can be. All limits are on; docs/serving.md says what each means.

    Examples:

      nmt serve runs/de-en

      nmt serve runs/de-en runs/de-en-thought-vector runs/en-de --port 8080

      nmt serve --keys keys.txt --new-key mastodon

      nmt serve runs/de-en --keys keys.txt --host 0.0.0.0
    """
    if new_key:
        _make_key(keys, new_key)
        return
    if not runs:
        raise UserError("nmt serve: expected one run folder or more")
    _check_extra()
    limits = Limits(
        body=body,
        characters=characters,
        items=items,
        alternatives=alternatives,
        output=output,
        queue=queue,
        batch=batch,
        deadline=deadline,
        reading=reading,
        connections=connections,
        grace=grace,
    )
    _start(runs, host, port, keys, cors_origin or [], limits, quiet)


def _check_extra() -> None:
    if not all(map(find_spec, NEEDED)):
        raise UserError("nmt serve needs the extra serve: pip install 'nmt-recipes[serve]'")


def _make_key(path: Path | None, name: str) -> None:
    from nmt.serving import keys

    if path is None:
        raise UserError("--new-key: expected --keys too, the file to which its hash is added")
    print(keys.add(path, name))
    say(f"this key is shown once; {path} holds its hash")


def _start(
    runs: list[Path], host: str, port: int, keys: Path | None, origins: list[str], limits: Limits, quiet: bool
) -> None:
    keep_few_kernels(32)
    from nmt.serving import languages, server
    from nmt.serving.app import build
    from nmt.serving.keys import Keys
    from nmt.serving.models import Models
    from nmt.serving.service import Service

    known = Keys.read(keys) if keys else None
    speak = logger(quiet)
    with server.listen(host, port) as bound:
        service = Service(Models.load(runs, limits.output), limits, known)
        _introduce(service.models, quiet)
        if not languages.detection():
            speak("languages are not told apart; for that: pip install 'nmt-recipes[lid]'")
        address, number = bound.getsockname()[:2]
        where = f"http://{f'[{address}]' if ':' in address else address}:{number}"
        prepared = server.prepared(build(service, origins), service, lambda: speak(f"serving at {where}"))
        server.settle()
        prepared.run(sockets=[bound])


def _introduce(models: Models, quiet: bool) -> None:
    speak = logger(quiet)
    for model in models.all:
        speak(f"{model.source} to {model.target}: {model.run.path}")
        for note in model.run.notes:
            speak(f"note: {note}")
