"""Published clients of LibreTranslate: they get the model's translations from a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from nmt.serving.admission import Limits
from nmt.serving.models import Models, ServedModel
from nmt.serving.service import Service
from tools.checks.check import SkippedError, Trial
from tools.checks.client import Address
from tools.checks.served_run import ServedRun, served_runs
from tools.checks.server import listening

Translate = Callable[[str], str]


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """Sentences by each client in turn."""
    if missing := [name for name in CLIENTS if find_spec(name) is None]:
        raise SkippedError(f"needs {' and '.join(missing)}: pip install 'nmt-recipes[dev]'")
    with served_runs(runs) as found:
        known, model = found[0].known(count), ServedModel(found[0].run, "model", Limits().output)
        with listening(Service(Models([model]), Limits(), None)) as address:
            clients = {name: made(address, found[0]) for name, made in CLIENTS.items()}
            for number, (sentence, translation) in enumerate(known):
                name = list(clients)[number % len(clients)]
                text = clients[name](sentence)
                yield Trial(
                    f"{name}: {sentence}", None if text == translation else f"expected {translation!r}, found {text!r}"
                )


def _libretranslatepy(address: Address, served: ServedRun) -> Translate:
    client, data = import_module("libretranslatepy").LibreTranslateAPI(f"{address.url}/"), served.run.recipe.data
    return lambda text: str(client.translate(text, data.source, data.target))


def _deep_translator(address: Address, served: ServedRun) -> Translate:
    data, client = served.run.recipe.data, import_module("deep_translator").LibreTranslator
    return lambda text: str(
        client(source=data.source, target=data.target, api_key="none", custom_url=f"{address.url}/").translate(text)
    )


CLIENTS: dict[str, Callable[[Address, ServedRun], Translate]] = {
    "libretranslatepy": _libretranslatepy,
    "deep_translator": _deep_translator,
}
