"""The newest checkpoint is damaged; the same command falls back to the previous one and ends with the same result. An
export is damaged; the run translates without it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from nmt.export import folder
from nmt.inference import exports
from nmt.inference.ctranslate2 import CTranslate2Translator
from nmt.inference.exports import MODEL
from nmt.inference.open import open_translator
from nmt.runs import run_folder
from nmt.runs.files import EXPORT, EXPORT_METADATA
from nmt.runs.run_folder import Run
from nmt.training import checkpoints
from tools.checks.check import SkippedError, Trial
from tools.checks.moments import in_update
from tools.checks.toy import SAVED, Toy, toys

LEFT = 8
"""The update at which training is stopped; its checkpoint is damaged, the one two updates earlier is intact."""
FILES = (checkpoints.MANIFEST, checkpoints.STATE, checkpoints.WEIGHTS)
EXPORTED = (EXPORT_METADATA, MODEL, "config.json", "shared_vocabulary.json")
EVERY = 4
"""Of so many trials, one damages an export."""

Damage = Callable[[Path, random.Random], str]


def files(path: Path) -> tuple[str, ...]:
    """The files of a checkpoint or an export."""
    return EXPORTED if path.name == EXPORT else FILES


def flip(path: Path, rng: random.Random) -> str:
    """Flips one bit of one file."""
    file = path / rng.choice(files(path))
    data = bytearray(file.read_bytes())
    place, bit = rng.randrange(len(data)), rng.randrange(8)
    data[place] ^= 1 << bit
    file.write_bytes(data)
    return f"bit {bit} of byte {place} of {file.name} turned"


def truncate(path: Path, rng: random.Random) -> str:
    """Truncates a file, possibly to nothing."""
    file = path / rng.choice(files(path))
    length = rng.choice([0, rng.randrange(file.stat().st_size)])
    os.truncate(file, length)
    return f"{file.name} cut off after {length} bytes"


def lengthen(path: Path, rng: random.Random) -> str:
    """Adds bytes to a file."""
    file, more = path / rng.choice(files(path)), rng.randrange(1, 5000)
    with file.open("ab") as end:
        end.write(rng.randbytes(more))
    return f"{more} bytes added to {file.name}"


def blank(path: Path, rng: random.Random) -> str:
    """Fills a range of a file with zeros, as a file system does with blocks that were never written."""
    file = path / rng.choice(files(path))
    data = bytearray(file.read_bytes())
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.choice([512, 4096, len(data)]))
    if not any(data[start:end]):
        start, end = 0, len(data)
    data[start:end] = bytes(end - start)
    file.write_bytes(data)
    return f"zeros from {start} to {end} in {file.name}"


def delete(path: Path, rng: random.Random) -> str:
    """Deletes a file, or all of them."""
    names = rng.choice([*((name,) for name in files(path)), files(path)])
    for name in names:
        (path / name).unlink()
    return f"{', '.join(names)} deleted"


def swap(path: Path, rng: random.Random) -> str:
    """Replaces files by those of the previous checkpoint."""
    names = rng.choice([*((name,) for name in FILES), FILES])
    for name in names:
        shutil.copy(before(path) / name, path / name)
    return f"{', '.join(names)} of the checkpoint before"


def exchange(path: Path, rng: random.Random) -> str:
    """Exchanges two files."""
    one, other = rng.sample(files(path), 2)
    (path / one).rename(path / "aside")
    (path / other).rename(path / one)
    (path / "aside").rename(path / other)
    return f"{one} and {other} exchanged"


def edit(path: Path, rng: random.Random) -> str:
    """Writes another manifest, which is valid JSON."""
    manifest = json.loads((path / checkpoints.MANIFEST).read_text())
    name = rng.choice(FILES[1:])
    edits: dict[str, object] = {
        "a number": 20,
        "a list": [],
        "no files": {**manifest, "files": {}},
        "another update": {**manifest, "update": LEFT - SAVED},
        "another size": {**manifest, "files": {**manifest["files"], name: {**manifest["files"][name], "bytes": 1}}},
        "a file too few": {
            **manifest,
            "files": {key: value for key, value in manifest["files"].items() if key != name},
        },
        "null as hash": {**manifest, "files": {**manifest["files"], name: {"bytes": 1, "sha256": None}}},
    }
    what = rng.choice(list(edits))
    (path / checkpoints.MANIFEST).write_text(json.dumps(edits[what]))
    return f"{what} in {checkpoints.MANIFEST}"


def replace(path: Path, rng: random.Random) -> str:
    """Replaces a file by a folder or a dead link."""
    file, link = path / rng.choice(files(path)), rng.random() < 0.5
    file.unlink()
    if link:
        file.symlink_to("nowhere")
    else:
        file.mkdir()
    return f"{'a dead link' if link else 'a folder'} in the place of {file.name}"


def flatten(path: Path, rng: random.Random) -> str:
    """Replaces the whole checkpoint by a file."""
    shutil.rmtree(path)
    path.write_bytes(rng.randbytes(rng.randrange(100)))
    return "a file in its place"


KINDS: tuple[Damage, ...] = (flip, truncate, lengthen, blank, delete, swap, exchange, edit, replace, flatten)


OF_EXPORTS: tuple[Damage, ...] = (flip, truncate, lengthen, blank, delete, exchange, replace)


def before(path: Path) -> Path:
    """The previous checkpoint."""
    return path.with_name(f"step-{LEFT - SAVED:08d}")


def trials(count: int) -> Iterator[Trial]:
    """One damage each: all kinds in turn, to runs of all families in turn."""
    with toys(("fp32",)) as models:
        for number in range(count):
            rng = random.Random(f"damage {number}")
            if number % EVERY == EVERY - 1:
                yield _export_trial(models[-1], OF_EXPORTS[number // EVERY % len(OF_EXPORTS)], rng)
            else:
                yield _trial(models[number % len(models)], KINDS[number % len(KINDS)], rng)


def _trial(toy: Toy, damage: Damage, rng: random.Random) -> Trial:
    left = toy.folder / "left"
    if not left.exists():
        toy.train(run=left, prelude=in_update(LEFT, signal.SIGTERM))
    shutil.rmtree(toy.run, ignore_errors=True)
    shutil.copytree(left, toy.run)
    tried = f"{toy.name}: {damage(toy.run / run_folder.CHECKPOINTS / f'step-{LEFT:08d}', rng)}"
    fault, stderr = toy.continued(), toy.stderr_lines
    lines = [line for line in stderr if "damaged (" in line]
    if fault is None and (len(lines) != 1 or f"continuing from update {LEFT - SAVED}" not in stderr):
        start = next((line for line in stderr if "continuing" in line), "training began anew")
        fault = f"{len(lines)} lines say so, and {start}"
    return Trial(tried, fault)


def _export_trial(toy: Toy, damage: Damage, rng: random.Random) -> Trial:
    """Whether the engine ``auto`` leaves a damaged export alone, and says so unless it is gone."""
    if find_spec("ctranslate2") is None:
        raise SkippedError("exports need CTranslate2: pip install 'nmt-recipes[ct2]'")
    os.environ["XDG_STATE_HOME"] = str(toy.folder)  # the list of exports is not the user's
    sound, damaged = toy.folder / "exported", toy.folder / "damaged"
    if not sound.exists():
        _export(toy, sound)
    shutil.rmtree(damaged, ignore_errors=True)
    shutil.copytree(sound, damaged)
    tried, said = f"export: {damage(damaged / EXPORT, rng)}", list[str]()
    taken = isinstance(open_translator(Run(damaged), log=said.append), CTranslate2Translator)
    gone = not os.path.lexists(damaged / EXPORT / EXPORT_METADATA)
    if taken or len(said) != 1 - gone:
        return Trial(tried, f"{'it was used' if taken else 'torch was taken'}, and {len(said)} lines said so")
    return Trial(tried)


def _export(toy: Toy, sound: Path) -> None:
    """Copies a finished run and gives it an export that the engine ``auto`` takes."""
    _ = toy.whole
    shutil.copytree(toy.folder / "whole", sound)
    (sound / EXPORT).mkdir()
    run = Run(sound)
    exports.describe(sound / EXPORT, folder.fill(sound / EXPORT, run, "float32").description)
    exports.note(run)
    assert isinstance(open_translator(run), CTranslate2Translator), "the sound export is taken"
