"""Conversion of run folders and bundles of format 1 to format 2, with tables of what was renamed.

Numbers stay the same to the bit: weights, optimizer states and random states are carried over under their new names.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from nmt import atomic
from nmt.atomic import JsonObject, Manifest
from nmt.errors import UserError
from nmt.recipe import document, validation
from nmt.recipe.document import Place
from nmt.runs import files, run_folder
from nmt.runs.files import METADATA, RECIPE, SCORES, WEIGHTS, Bundle, RunFiles
from nmt.runs.metadata import FORMAT, read_object
from nmt.runs.run_folder import CHECKPOINTS, METRICS, TIMING, Run
from nmt.unfinished import fresh_name

WEIGHT_NAMES = (
    (r"^reader\.", "attention."),
    (r"^begin\.", "bridge."),
    (r"^squeeze\.", "bottleneck."),
    (r"^encoder\.(\d+)\.", r"encoder.layers.\1."),
)
"""Regular expressions for names of weights, and what replaces them. The order of the parameters is the same."""
METADATA_KEYS = {"unseen": "unseen_tokens", "pieces": "token_cache"}
CORPUS_KEYS = {"asked": "request", "loaded": "name", "prepared": "cache"}
LENGTH_KEYS = {"95": "p95", "pieces": "tokens"}
DECIDED = (
    *("device", "precision", "threads", "updates_per_minute", "batches_per_epoch"),
    *("updates", "validate_every", "warmup", "parameters"),
)
"""Keys of the metadata that are now in its section `decided`."""
PROGRESS_KEYS = {"pieces": "tokens", "sums": "totals"}
TOTALS_KEYS = {"pieces": "tokens", "objective": "loss", "nats": "nll"}
RECORD_KEYS = {"pieces": "tokens", "pieces_per_second": "tokens_per_second"}
"""Keys of `metrics.jsonl` and `timing.jsonl`."""
STATE, MANIFEST = "state.pt", "manifest.json"
"""Files of a checkpoint beside its weights."""
_HEADER = struct.Struct("<Q")
"""The beginning of a safetensors file: the length of its header, which is JSON padded to 8 bytes."""


def convert(path: Path, out: Path | None) -> Path:
    """Converts a run folder or a bundle, in its place or into ``out``, whole or not at all; returns where it is."""
    if out is not None and out.exists():
        raise UserError(f"--out: {out} exists; name another path, or leave --out away to convert {path} in its place")
    target = out or path
    if path.is_file():
        _convert_bundle(path, target)
        return target
    values = _metadata(files.FolderFiles(path))
    _refuse_links(path)
    with run_folder.locked(path), atomic.atomic_folder(target, replace=out is None) as building:
        shutil.copytree(path, building, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        _convert_folder(building, values)
        _check(Run(building))
    return target


def _refuse_links(folder: Path) -> None:
    """Files are rewritten, and through a link one outside the folder would be."""
    link = next((path for path in folder.rglob("*") if path.is_symlink()), None)
    if link is not None:
        raise UserError(f"{link}: a link, which is not converted; put the file itself there")


def _convert_bundle(path: Path, target: Path) -> None:
    bundle = Bundle(path)
    values = _metadata(bundle)
    contents = {name: bundle.read(name) for name in files.MAX_BYTES if name in bundle and name != files.MANIFEST}
    changed = _converted(contents, values, path)
    made = fresh_name(target)
    try:
        files.write_bundle(made, contents | changed)
        _check(Run(made))
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)
    beside = Run(target).evaluations
    if SCORES in beside:
        atomic.write_file(beside.to_write(SCORES), _scores(beside.read(SCORES), _hashes(contents, changed)))


def _convert_folder(folder: Path, values: JsonObject) -> None:
    found = files.FolderFiles(folder)
    contents = {name: found.read(name) for name in (RECIPE, WEIGHTS, SCORES) if name in found}
    changed = _converted(contents, values, folder)
    for name, data in changed.items():
        (folder / name).write_bytes(data)
    for name in (METRICS, TIMING):
        if (folder / name).exists():
            records = (_renamed(record, RECORD_KEYS) for record in atomic.read_records(folder / name))
            (folder / name).write_text("".join(_line(record) for record in records), encoding="utf8")
    for checkpoint in sorted((folder / CHECKPOINTS).glob("step-*")):
        _convert_checkpoint(checkpoint)


def _converted(contents: Mapping[str, bytes], values: JsonObject, path: Path) -> dict[str, bytes]:
    """The contents of the files that change."""
    changed = {METADATA: json.dumps(_converted_metadata(values), indent=1, ensure_ascii=False).encode() + b"\n"}
    if RECIPE in contents:
        changed[RECIPE] = _converted_recipe(contents[RECIPE], f"{path}/{RECIPE}")
    if WEIGHTS in contents:
        changed[WEIGHTS] = _converted_weights(contents[WEIGHTS], f"{path}/{WEIGHTS}")
    if SCORES in contents:
        changed[SCORES] = _scores(contents[SCORES], _hashes(contents, changed))
    return changed


def _converted_metadata(values: JsonObject) -> JsonObject:
    found = _renamed(values, METADATA_KEYS) | {"format": FORMAT}
    if "lengths" in found:
        found["lengths"] = {side: _renamed(each, LENGTH_KEYS) for side, each in found["lengths"].items()}
    corpus = found["corpus"] = _renamed(found["corpus"], CORPUS_KEYS)
    if "request" in corpus:
        corpus["request"] = validation.converted({"data": corpus["request"]})["data"]
    decided = {name: found.pop(name) for name in DECIDED if name in found}
    return found | {"decided": decided}


def _converted_recipe(content: bytes, where: str) -> bytes:
    found = document.parse(content.decode("utf8"), Place(0, where))
    return document.write(validation.converted(found.values)).encode()


def _converted_weights(data: bytes, where: str) -> bytes:
    """The same tensors under their new names: only the header changes."""
    try:
        (length,) = _HEADER.unpack_from(data)
        header = json.loads(data[_HEADER.size : _HEADER.size + length])
    except (struct.error, ValueError, RecursionError) as error:
        raise UserError(f"{where}: no weights in safetensors ({error}); the run is damaged") from error
    text = json.dumps({_weight_name(name): about for name, about in header.items()}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _HEADER.size)
    return _HEADER.pack(len(text)) + text + data[_HEADER.size + length :]


def _weight_name(name: str) -> str:
    for pattern, new in WEIGHT_NAMES:
        name = re.sub(pattern, new, name)
    return name


def _convert_checkpoint(folder: Path) -> None:
    """A checkpoint that is damaged stays as it is, and is found to be so when training continues."""
    import torch

    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf8"))
    if Manifest.read_json(manifest["files"]).differing(folder) is not None:
        return
    weights = folder / WEIGHTS
    weights.write_bytes(_converted_weights(weights.read_bytes(), str(weights)))
    state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
    progress = state["progress"] = _renamed(state["progress"], PROGRESS_KEYS)
    progress["totals"] = _renamed(progress["totals"], TOTALS_KEYS)
    torch.save(state, folder / STATE)
    manifest["files"] = Manifest.of_folder(folder, (WEIGHTS, STATE)).as_json()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf8")


def _hashes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, str]:
    """The hash of the weights before and after, which the evaluation log and exports refer to."""
    if WEIGHTS not in after:
        return {}
    return {sha256(before[WEIGHTS]).hexdigest(): sha256(after[WEIGHTS]).hexdigest()}


def _scores(data: bytes, hashes: Mapping[str, str]) -> bytes:
    records = atomic.records(data)
    for record in records:
        if record.get("weights_sha256") in hashes:
            record["weights_sha256"] = hashes[record["weights_sha256"]]
    return "".join(map(_line, records)).encode()


def _line(record: JsonObject) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _renamed(values: JsonObject, keys: Mapping[str, str]) -> JsonObject:
    return {keys.get(name, name): value for name, value in values.items()}


def _check(run: Run) -> None:
    """Loads what has been converted, so that damage is found before the old run is replaced."""
    _ = run.recipe, run.metadata, run.outcome
    if WEIGHTS in run.files:
        run.model()


def _metadata(found: RunFiles) -> JsonObject:
    """The metadata of a run of format 1."""
    if METADATA not in found:
        raise UserError(f"{found.where(METADATA)}: no such run; expected one made by nmt train")
    values = read_object(found.read(METADATA), found.where(METADATA))
    if values.get("format") != FORMAT - 1:
        raise UserError(
            f"{found.where(METADATA)}: expected a run of format {FORMAT - 1}, found {repr(values.get('format'))[:50]}; "
            "there is nothing to convert"
        )
    return values
