"""Opening the export of a run: whether it is whole, made of the run's weights, and made by this user.

Its files are read like all files of a run folder, compared with the sizes and hashes in `nmt.json`, and given to
CTranslate2 in memory, so what was compared is what is loaded. Hashes say that nothing is damaged, not who made it, and
CTranslate2 parses its files in C++. So the engine ``auto`` takes an export only if `nmt export` has noted it in this
user's list of exports, which no run folder can bring along; another is used when it is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from nmt import atomic, provenance
from nmt.atomic import JsonObject, Manifest
from nmt.data.metadata import Text
from nmt.errors import UserError
from nmt.runs.files import EXPORT, EXPORT_MAX_BYTES, EXPORT_METADATA
from nmt.runs.metadata import Section, read_object, validated
from nmt.runs.run_folder import Run

FORMAT = 2
"""Format 1 had no hashes of its files."""
Quantization: TypeAlias = Literal["float32", "int8"]
QUANTIZATIONS: tuple[Quantization, ...] = ("float32", "int8")
MODEL = "model.bin"
MAX_BEAM = 100
"""Time and memory of CTranslate2 grow with the square of the beam: a sentence takes seconds from here on."""
LIST = Path("nmt", "exports.jsonl")
"""The list of this user's exports, in the folder for state that the XDG base directories name."""


class Description(Section):
    """The content of `nmt.json`, its hashes left out."""

    format: Literal[2] = 2
    weights_sha256: Text
    """Of the run's weights that it was made of."""
    quantization: Quantization
    positions: Annotated[int, Field(ge=1, le=1 << 24)]
    """Tokens that either side of a sentence may have, its end counted."""
    versions: dict[Text, Text] = {}  # noqa: RUF012  # pydantic copies it


@dataclass(frozen=True)
class Export:
    """An export that can be used, with its files in memory."""

    path: Path
    description: Description
    contents: Mapping[str, bytes] = field(repr=False)
    """The files that CTranslate2 loads, by name."""


def open_export(run: Run, *, own: bool) -> Export | None:
    """A run's export, or None where there is none; a `UserError` says why it cannot be used.

    With ``own``, it must have been made by this user on this machine.
    """
    name = f"{EXPORT}/{EXPORT_METADATA}"
    if run.bundled or name not in run.files:
        return None
    try:
        data = run.files.read(name)
        values = read_object(data, run.files.where(name))
        if values.get("format") == 1:
            raise UserError(f"{run.files.where(name)}: an export of format 1, which has no hashes of its files")
        described = validated(Description, values, run.files.where(name))
        if own and not noted(data):
            raise UserError(
                f"{run.files.where(EXPORT)}: not made by you on this machine; --engine ctranslate2 takes it as it is"
            )
        _check_use(run, described)
        return Export(Path(run.files.where(EXPORT)), described, _contents(run, values.get("files")))
    except UserError as error:
        raise UserError(f"{error}; export it again: nmt export {run.path} --to ctranslate2") from error


def _check_use(run: Run, described: Description) -> None:
    if described.weights_sha256 != run.weights_sha256:
        raise UserError(f"{run.files.where(EXPORT)}: made of other weights than the run has now")
    if reason := unsuitable(run) or unsupported(described.quantization):
        raise UserError(f"{run.files.where(EXPORT)}: {reason}")


def _contents(run: Run, manifest: object) -> dict[str, bytes]:
    """The files that CTranslate2 loads, each as the manifest says."""
    try:
        listed = Manifest.read_json(manifest)
    except ValueError as error:
        raise UserError(f"{run.files.where(EXPORT)}: damaged ({error})") from error
    names = [name for name in EXPORT_MAX_BYTES if name in listed.files]
    if MODEL not in names:
        raise UserError(f"{run.files.where(EXPORT)}: damaged (its manifest has no {MODEL})")
    return {name: _content(run, name, listed) for name in names}


def _content(run: Run, name: str, manifest: Manifest) -> bytes:
    try:
        data = run.files.read(f"{EXPORT}/{name}")
    except FileNotFoundError as error:
        raise UserError(f"{run.files.where(EXPORT)}: damaged ({name} is missing)") from error
    if not manifest.describes(name, data):
        raise UserError(f"{run.files.where(EXPORT)}: damaged ({name} differs from its manifest)")
    return data


def read_built(folder: Path, description: Description) -> Export:
    """An export that was just written, before it is described."""
    names = (name for name in EXPORT_MAX_BYTES if name != EXPORT_METADATA and (folder / name).exists())
    return Export(folder, description, {name: (folder / name).read_bytes() for name in names})


def describe(folder: Path, description: Description) -> None:
    """Writes `nmt.json` into a finished export: its description, and size and hash of every other file."""
    manifest = Manifest.of_folder(folder, sorted(path.name for path in folder.iterdir()))
    described: JsonObject = {"format": FORMAT, **description.as_json(), "files": manifest.as_json()}
    atomic.write_json(folder / EXPORT_METADATA, described)


def note(run: Run) -> None:
    """Enters a run's export in this user's list; a list that cannot be written is a `RunError`."""
    path = _list()
    path.parent.mkdir(parents=True, exist_ok=True)
    hashed = sha256(run.files.read(f"{EXPORT}/{EXPORT_METADATA}")).hexdigest()
    atomic.append_record(path, {"sha256": hashed, "run": str(run.path.resolve()), "time": provenance.now()})


def noted(description: bytes) -> bool:
    """Whether this user's list has an export with this `nmt.json`, and so with these hashes."""
    hashed = sha256(description).hexdigest()
    return any(record.get("sha256") == hashed for record in atomic.read_records(_list()))


def _list() -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    return (state if state.is_absolute() else Path(os.path.expanduser("~/.local/state"))) / LIST


def check(run: Run, quantization: str) -> None:
    """Refuses what cannot be exported, with the reason and the way out."""
    if reason := unsuitable(run):
        raise UserError(f"{run.path}: {reason}")
    if reason := unsupported(quantization):
        raise UserError(f"--quantization: {reason}")
    run.check()


def unsuitable(run: Run) -> str | None:
    """Why a run cannot be exported, or None."""
    if run.description.exporter is None:
        return (
            f"CTranslate2 has no model of this kind ({run.description.title}); only Transformers can be exported\n"
            "this run translates with --engine torch"
        )
    search = run.recipe.search
    if search.min_length:
        return (
            f"search.min_length: expected 0, found {search.min_length}: CTranslate2 changes all probabilities before "
            "the minimum length; take --engine torch"
        )
    return f"search.beam: {too_wide(search.beam)}" if too_wide(search.beam) else None


def too_wide(beam: int) -> str | None:
    """Why CTranslate2 does not search with a beam, or None."""
    if beam <= MAX_BEAM:
        return None
    return f"CTranslate2 takes a beam of at most {MAX_BEAM}, found {beam}; take --engine torch"


def unsupported(quantization: str) -> str | None:
    """Why this installation cannot compute in a quantization, or None."""
    if find_spec("ctranslate2") is None:
        return "ctranslate2 is not installed: pip install 'nmt-recipes[ct2]'"
    import ctranslate2

    there = ctranslate2.get_supported_compute_types("cpu")
    return (
        None
        if quantization in there
        else f"CTranslate2 does not compute in {quantization} on this CPU; it does in {', '.join(sorted(there))}"
    )
