"""What a shell offers for arguments, once `nmt --install-completion` has been run; files are offered by the shell."""

from __future__ import annotations

from pathlib import Path


def keys(incomplete: str) -> list[str]:
    """Recipe keys as `KEY=`; of a key without a dot, sections as `SECTION.` first."""
    from nmt.recipe import explain

    names = dict.fromkeys(entry.name for section in explain.sections() for entry in section.entries)
    if "." not in incomplete:
        first = dict.fromkeys(f"{name.partition('.')[0]}{'.' if '.' in name else '='}" for name in names)
        return [name for name in first if name.startswith(incomplete)]
    return [f"{name}=" for name in names if name.startswith(incomplete)]


def key_names(incomplete: str) -> list[str]:
    """Recipe keys."""
    return [key.rstrip("=") for key in keys(incomplete)]


def recipes(incomplete: str) -> list[str]:
    """The recipes in the folder of that name."""
    return [str(path) for path in sorted(Path("recipes").glob("*.yaml")) if str(path).startswith(incomplete)]


def recipes_and_runs(incomplete: str) -> list[str]:
    """What `nmt train` takes."""
    return recipes(incomplete) + runs(incomplete)


def runs(incomplete: str) -> list[str]:
    """The run folders under `runs/`."""
    return [
        str(path.parent) for path in sorted(Path("runs").glob("*/run.json")) if str(path.parent).startswith(incomplete)
    ]


def experiments(incomplete: str) -> list[str]:
    """Names of experiments."""
    from nmt.lab.experiments.experiment import EXPERIMENTS

    return [name for name in EXPERIMENTS if name.startswith(incomplete)]
