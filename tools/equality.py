"""Compares this checkout with an earlier one: translations and further training of runs must be equal to the bit.

    python -m tools.equality EARLIER RUN... --source test.de [--lines 1000] [--updates 50]

EARLIER is a checkout of the other version; the runs were trained by it and are only read. Each run is copied twice: one
copy is used by the earlier version, the other is converted by `nmt convert` where its format is old, and used by this
version. Both translate the source at beam 1 and at beam 5 with n-best lists, and both train on for some updates.
The last line on stdout is the figure; the exit status is 0 where all is equal.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from ruamel.yaml import YAML
from safetensors.torch import load_file
from torch import Tensor

HERE = Path(__file__).parents[1]
BEAMS = {1: ("--beam", "1"), 5: ("--beam", "5", "--nbest", "5")}
"""Settings of `nmt translate` by size of the beam."""
AS_THEY_ARE = ("--split", "never", "--no-protect")
"""Settings of this version that earlier ones do not have: lines are translated as they are."""
WORDING = {"warnings"}
"""Keys of a translation that may be worded otherwise by another version."""


@dataclass(frozen=True)
class Version:
    """A checkout, and what its command line is called."""

    checkout: Path

    def nmt(self, *arguments: str) -> None:
        """Runs a command of this version with one thread, and ends the comparison where it fails."""
        environment = os.environ | {"PYTHONPATH": str(self.checkout), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "nmt", *arguments]
        done = subprocess.run(command, cwd=self.checkout, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(
                f"{self.checkout}: nmt {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}"
            )


@dataclass(frozen=True)
class Found:
    """What one version made of a run."""

    translations: dict[int, list[str]]
    """By beam: a line of JSON for each source line."""
    parameters: list[str]
    """Hashes of the parameters of the last checkpoint, sorted, since parameters may have been renamed."""
    optimizer: list[str]
    """Hashes of the optimizer's state, by index of the parameter."""
    metrics: list[dict[str, Any]]
    """Numbers of metrics.jsonl after the old end of the run, in the order of their keys."""


def measure(version: Version, run: Path, source: Path, updates: int, work: Path) -> Found:
    """Translates with a run and trains it further; the run may be changed."""
    translations = {}
    for beam, options in BEAMS.items():
        output = work / f"{run.name}.{beam}.jsonl"
        ours = AS_THEY_ARE if version.checkout == HERE else ()
        version.nmt("translate", str(run), "-i", str(source), "-o", str(output), "--json", "--quiet", *options, *ours)
        translations[beam] = output.read_text(encoding="utf8").splitlines()
    recipe = YAML(typ="safe").load((run / "recipe.yaml").read_text(encoding="utf8"))
    end = recipe["training"]["updates"]
    limit = f"training.updates={end + updates}"
    version.nmt("train", str(run / "recipe.yaml"), "--run", str(run), "--quiet", limit)
    checkpoint = max((run / "checkpoints").glob("step-*"))
    parameters = sorted(map(_hash, load_file(checkpoint / "model.safetensors").values()))
    state = torch.load(checkpoint / "state.pt", weights_only=True)["optimizer"]["state"]
    optimizer = [
        f"{index} {name} {_hash(value)}"
        for index, kept in sorted(state.items())
        for name, value in sorted(kept.items())
    ]
    records = map(json.loads, (run / "metrics.jsonl").read_text(encoding="utf8").splitlines())
    return Found(translations, parameters, optimizer, [each for each in records if each["update"] > end])


def _hash(tensor: Tensor) -> str:
    return sha256(f"{tensor.dtype} {tuple(tensor.shape)}".encode() + tensor.contiguous().numpy().tobytes()).hexdigest()


def differences(before: Found, after: Found) -> Iterator[str]:
    """What differs, a line each."""
    for beam, lines in before.translations.items():
        pairs = zip(map(json.loads, lines), map(json.loads, after.translations[beam]), strict=True)
        differing = [
            number
            for number, (one, other) in enumerate(pairs, 1)
            if any(other[key] != one[key] for key in one.keys() - WORDING)
        ]
        if differing:
            yield f"beam {beam}: {len(differing)} of {len(lines)} lines differ, the first is line {differing[0]}"
    if before.parameters != after.parameters:
        odd = len(set(before.parameters) ^ set(after.parameters))
        yield f"parameters after training: {odd} of {2 * len(before.parameters)} tensors on one side only"
    if before.optimizer != after.optimizer:
        yield "state of the optimizer after training differs"
    if [list(each.values()) for each in before.metrics] != [list(each.values()) for each in after.metrics]:
        yield "numbers in metrics.jsonl differ"


def main(
    earlier: Annotated[Path, typer.Argument(help="A checkout of the earlier version.")],
    runs: Annotated[list[Path], typer.Argument(help="Run folders that it trained.")],
    source: Annotated[Path, typer.Option(help="Text in the runs' source language, a sentence a line.")],
    lines: Annotated[int, typer.Option(min=1, help="Lines to translate.")] = 1000,
    updates: Annotated[int, typer.Option(min=1, help="Further updates.")] = 50,
) -> None:
    """Compare translations and further training of runs between an earlier checkout and this one."""
    equal = 0
    for run in runs:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            text = work / "source.txt"
            with source.open(encoding="utf8") as stream:
                text.write_text("".join(islice(stream, lines)), encoding="utf8")
            old, new = work / "before" / run.name, work / "after" / run.name
            for copy in (old, new):
                shutil.copytree(run, copy)
            before = measure(Version(earlier.resolve()), old, text, updates, old.parent)
            this = Version(HERE)
            if json.loads((new / "run.json").read_text(encoding="utf8"))["format"] == 1:
                this.nmt("convert", str(new))
            after = measure(this, new, text, updates, new.parent)
            found = list(differences(before, after))
        equal += not found
        print(f"{run.name}: {'; '.join(found) or 'equal'}", file=sys.stderr, flush=True)
    print(f"{equal}/{len(runs)} runs equal: {lines} lines at beam 1 and 5 with n-best lists, {updates} further updates")
    raise typer.Exit(0 if equal == len(runs) else 1)


if __name__ == "__main__":
    typer.run(main)
