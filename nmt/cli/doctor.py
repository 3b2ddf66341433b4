"""`nmt doctor`: what this installation has to work with."""

from __future__ import annotations

import platform
from importlib import metadata
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from nmt.cli.output import print_json

PACKAGES = ("nmt-recipes", "torch", "sentencepiece", "sacrebleu", "datasets", "typer", "pydantic", "ruamel.yaml", "safetensors")
EXTRAS = {"plot": "matplotlib", "tensorboard": "tensorboard", "serve": "fastapi", "lid": "lingua"}
"""Extras of this package, and the module that tells whether each is there."""
HUB_DATASET = "bentrevett/multi30k"


def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Print versions, threads, devices, extras, and whether the Hugging Face Hub answers.

    Example: nmt doctor
    """
    found = {"python": platform.python_version(), **_versions(), **_machine(), "extras": _extras(), "hub": _hub()}
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        print(f"{name:<16}{value if not isinstance(value, dict) else ', '.join(f'{key}: {each}' for key, each in value.items())}")


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}


def _machine() -> dict[str, Any]:
    import torch

    from nmt.training import hardware

    device = hardware.device("auto")
    return {**hardware.describe(), "threads": torch.get_num_threads(), "device": device.type, "precision": hardware.precision("auto", device)}


def _extras() -> dict[str, str]:
    return {name: "there" if find_spec(module) else f"missing: pip install 'nmt-recipes[{name}]'" for name, module in EXTRAS.items()}


def _hub() -> str:
    from nmt.faults import InputFault
    from nmt.text import hub

    try:
        hub.probe(HUB_DATASET, None)
    except (hub.UnreachableError, InputFault) as reason:
        return f"does not answer ({reason})"
    return "answers"
