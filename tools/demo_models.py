"""Makes the demo models that ship with the package, `nmt/runs/demo_models/*.nmt`, by the commands of nmt.

    python -m tools.demo_models --runs runs/demo-models

Both are trained with one thread on the built-in corpus, some ten minutes each; a run that is finished is kept. Their
weights are rounded to bfloat16, which halves the files; scores in the bundles are those of the rounded weights. On
other processors and versions of torch the weights differ in their last digits, and so do the hashes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import torch

from nmt import atomic
from nmt.data import builtin
from nmt.models import weights
from nmt.runs import demo, files
from nmt.runs.run_folder import Run

RECIPES = {demo.ATTENTION: "recipes/builtin.yaml", demo.THOUGHT_VECTOR: "recipes/builtin-thought-vector.yaml"}
OVERRIDES = ("training.updates=3000", "training.threads=1")
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Trains, rounds, scores and bundles both models."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/demo-models"), help="where the runs are trained")
    folder = parser.parse_args().runs
    folder.mkdir(parents=True, exist_ok=True)
    natural = ",".join(path.name for path in write_natural(folder))
    for bundle, recipe in RECIPES.items():
        run, rounded = bundle.stem, f"{bundle.stem}-bf16"
        nmt(folder, "train", str(ROOT / recipe), *OVERRIDES, f"name=demo-{run}", "--run", run)
        round_weights(folder / run, folder / rounded)
        nmt(folder, "evaluate", rounded)
        nmt(folder, "evaluate", rounded, "--test", f"natural={natural}")
        nmt(folder, "bundle", rounded, "--output", str(bundle))
    write_hashes()


def nmt(folder: Path, *arguments: str) -> None:
    """Runs a command of nmt in a folder, so that no path of this machine gets into a bundle; an error ends this
    program."""
    print("nmt", *arguments, file=sys.stderr)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "nmt", *arguments], cwd=folder, env=environment, check=True)


def round_weights(run: Path, rounded: Path) -> None:
    """Copies a run without its checkpoints, with its weights in bfloat16."""
    shutil.rmtree(rounded, ignore_errors=True)
    shutil.copytree(run, rounded, ignore=shutil.ignore_patterns("checkpoints"))
    model = Run(run).model().to(torch.bfloat16)
    atomic.write_file(rounded / files.WEIGHTS, weights.packed(model, {"nmt": '{"rounded": "bfloat16"}'}))


def write_natural(folder: Path) -> tuple[Path, Path]:
    """The test set written by hand that comes with the built-in corpus, as two files."""
    pairs = builtin.pairs("natural")
    paths = folder / "natural.de", folder / "natural.en"
    for path, side in zip(paths, zip(*pairs, strict=True), strict=True):
        atomic.write_file(path, "".join(f"{line}\n" for line in side))
    return paths


def write_hashes() -> None:
    """Writes the hash of each bundle beside them."""
    lines = (f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in demo.BOTH)
    atomic.write_file(demo.FOLDER / demo.HASHES, "".join(lines))


if __name__ == "__main__":
    main()
