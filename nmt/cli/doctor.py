"""`nmt doctor`: the versions, the hardware and the extras of this installation."""

from __future__ import annotations

import platform
from importlib import metadata
from importlib.util import find_spec

import typer

from nmt.atomic import JsonObject
from nmt.cli.options import AsJson
from nmt.cli.output import print_json, print_values
from nmt.errors import UserError

PACKAGES = (
    *("nmt-recipes", "torch", "sentencepiece", "sacrebleu", "datasets"),
    *("typer", "pydantic", "ruamel.yaml", "safetensors"),
)
EXTRAS = {"plot": "matplotlib", "tensorboard": "tensorboard", "ct2": "ctranslate2", "serve": "fastapi", "lid": "lingua"}
"""Extras of this package, each with a module that it installs."""
HUB_DATASET = "bentrevett/multi30k"


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Print versions, threads, devices, extras, and whether the Hugging Face Hub answers.

    Example: nmt doctor
    """
    if context.args:
        raise UserError(f"nmt doctor takes no run; what it did with one is nmt check-batching {' '.join(context.args)}")
    versions = {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES}
    found = {**versions, **_machine(), "extras": _extras(), "hub": _hub()}
    if as_json:
        print_json(found)
    else:
        print_values(found)


def _machine() -> JsonObject:
    import torch

    from nmt import provenance
    from nmt.models.device import find_device, resolve_precision

    device = find_device("auto")
    return {
        **provenance.machine(),
        "threads": torch.get_num_threads(),
        "device": device.type,
        "precision": resolve_precision("auto", device),
    }


def _extras() -> dict[str, str]:
    return {
        name: "installed" if find_spec(module) else f"missing: pip install 'nmt-recipes[{name}]'"
        for name, module in EXTRAS.items()
    }


def _hub() -> str:
    from nmt.data import hub

    try:
        hub.probe(HUB_DATASET, None)
    except (hub.UnreachableError, UserError) as reason:
        return f"does not answer ({reason})"
    return "answers"
