"""`nmt serve`: translation over HTTP."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import completion
from nmt.cli.options import Demo, Device, Engine, Precision, Quiet, Workers
from nmt.cli.output import logger, option_errors, print_text, say
from nmt.cli.run_choice import served
from nmt.cpu_tuning import keep_few_kernels
from nmt.errors import UserError
from nmt.serving.admission import Limits

if TYPE_CHECKING:
    from nmt.errors import Log
    from nmt.serving.models import Computing, Models

REQUIRED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")
DEFAULTS = Limits()


def serve(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN...",
            help="Run folders; of several for a language pair, the first is the default.",
            autocompletion=completion.runs,
        ),
    ] = None,
    demo: Demo = False,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen at; 0.0.0.0 for all interfaces.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 for any free port.")] = 5000,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="A file with hashes of API keys; without it no key is needed.")
    ] = None,
    new_key: Annotated[
        str | None,
        typer.Option(
            "--new-key", metavar="NAME", help="Make a key, add its hash to the file --keys, print the key, and exit."
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option("--cors-origin", help="A site whose pages may call the server, such as https://a.org."),
    ] = None,
    body: Annotated[int, typer.Option("--body", help="Most bytes of a request.")] = DEFAULTS.body,
    characters: Annotated[int, typer.Option("--characters", help="Most characters of a text.")] = DEFAULTS.characters,
    items: Annotated[int, typer.Option("--items", help="Most texts of a request.")] = DEFAULTS.items,
    alternatives: Annotated[
        int, typer.Option("--alternatives", help="Most alternatives of a text.")
    ] = DEFAULTS.alternatives,
    output: Annotated[int, typer.Option("--output", help="Most tokens of a translated sentence.")] = DEFAULTS.output,
    tokens: Annotated[int, typer.Option("--tokens", help="Most source tokens of a request.")] = DEFAULTS.tokens,
    queue: Annotated[int, typer.Option("--queue", help="Most source tokens that wait.")] = DEFAULTS.queue,
    batch: Annotated[int, typer.Option("--batch", help="Most source tokens translated at a time.")] = DEFAULTS.batch,
    deadline: Annotated[float, typer.Option("--deadline", help="Seconds until an answer.")] = DEFAULTS.deadline,
    reading: Annotated[float, typer.Option("--reading", help="Seconds for a request to arrive.")] = DEFAULTS.reading,
    connections: Annotated[int, typer.Option("--connections", help="Most open connections.")] = DEFAULTS.connections,
    grace: Annotated[
        float, typer.Option("--grace", help="Seconds for the last answers after SIGTERM.")
    ] = DEFAULTS.grace,
    engine: Engine = "auto",
    device: Device = "auto",
    workers: Workers = None,
    precision: Precision = None,
    quiet: Quiet = False,
) -> None:
    """Serve runs over HTTP, compatible with LibreTranslate; the page at / translates and shows attention.

    Sentences of different requests are translated in batches. A run's export is used if you made one here; only the run
    itself, with --engine torch and without --workers, shows attention. docs/serving.md explains the limits, which are
    all on.

    Examples:

      nmt serve --demo

      nmt serve runs/de-en

      nmt serve runs/de-en runs/de-en-thought-vector runs/en-de --port 8080

      nmt serve runs/transformer --workers 4 --precision bf16

      nmt serve --keys keys.txt --new-key mastodon

      nmt serve runs/de-en --keys keys.txt --host 0.0.0.0
    """
    if new_key:
        _make_key(keys, new_key)
        return
    runs = served(runs or [], demo=demo, log=logger(quiet))
    _check_extra()
    limits = Limits(
        body=body,
        characters=characters,
        items=items,
        alternatives=alternatives,
        output=output,
        tokens=tokens,
        queue=queue,
        batch=batch,
        deadline=deadline,
        reading=reading,
        connections=connections,
        grace=grace,
    )
    from nmt.serving.models import Computing

    # An export with several workers needs several batches to keep them busy.
    computing = Computing(engine, device, workers, precision, max(1, batch // workers) if workers else None, batch)
    _start(runs, host, port, keys, cors_origin or [], limits, computing, quiet)


def _check_extra() -> None:
    if not all(map(find_spec, REQUIRED)):
        raise UserError("nmt serve needs the extra serve: pip install 'nmt-recipes[serve]'")


def _make_key(path: Path | None, name: str) -> None:
    from nmt.serving.admission import add_key

    if path is None:
        raise UserError("--new-key: expected --keys too, the file for its hash")
    print_text(add_key(path, name))
    say(f"this key is shown once; its hash is in {path}")


def _start(
    runs: list[Path],
    host: str,
    port: int,
    keys: Path | None,
    origins: list[str],
    limits: Limits,
    computing: Computing,
    quiet: bool,
) -> None:
    keep_few_kernels(32)
    from nmt.serving import server
    from nmt.serving.admission import ApiKeys
    from nmt.serving.app import build
    from nmt.serving.service import Service
    from nmt.text import detection

    api_keys = ApiKeys.read(keys) if keys else None
    log = logger(quiet)
    with server.bind(host, port) as bound, _loaded(runs, limits, computing, log) as models:
        service = Service(models, limits, api_keys)
        _log_models(service.models, quiet)
        if not detection.available():
            log("languages are not detected; for that: pip install 'nmt-recipes[lid]'")
        address, number = bound.getsockname()[:2]
        where = f"http://{f'[{address}]' if ':' in address else address}:{number}"
        running = server.make_server(build(service, origins), service, lambda: log(f"serving at {where}"))
        server.freeze_loaded_objects()
        running.run(sockets=[bound])


def _loaded(runs: list[Path], limits: Limits, computing: Computing, log: Log) -> Models:
    from nmt.serving.models import Models

    with option_errors():
        return Models.load(runs, limits.output, computing, log)


def _log_models(models: Models, quiet: bool) -> None:
    log = logger(quiet)
    for model in models.all:
        log(f"{model.source} to {model.target}: {model.run.path}")
        for note in model.run.notes:
            log(f"note: {note}")
