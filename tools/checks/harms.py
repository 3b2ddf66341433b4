"""What strangers may send: changes that make a valid run folder, bundle or export a hostile one."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors.torch import save

from nmt.data.vocabulary import EOS, Vocabulary
from nmt.models import weights
from nmt.runs import files
from nmt.runs.run_folder import CHECKPOINTS
from tools.checks.pieces import with_pieces

SECRET, SECRET_EXPORT, CANARY = "secret/secret.txt", "secret/export", "canary"
BUNDLE = "stranger.nmt"
PAINT = "\x1b]0;pwned\x07\x1b[2J\x9b2J\u202e"
"""Characters that a terminal obeys."""

Harm = Callable[[Path], None]
"""Changes a valid run folder into a hostile one."""


class Payload:
    """An object that runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {CANARY}",)


def put(name: str, data: bytes) -> Harm:
    """Replaces the content of a file."""
    return lambda run: _write(run / name, data)


def edit(**changed: Any) -> Harm:
    """Changes the metadata."""
    return lambda run: _write(
        run / files.METADATA, json.dumps(json.loads((run / files.METADATA).read_bytes()) | changed).encode()
    )


def recipe(before: str, after: str) -> Harm:
    """Changes the recipe."""

    def harm(run: Path) -> None:
        text = (run / files.RECIPE).read_text()
        assert before in text, before
        _write(run / files.RECIPE, text.replace(before, after, 1).encode())

    return harm


def tensors(header: object, data: bytes = b"", length: int | None = None) -> Harm:
    """Replaces the weights by a hand-made header and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return put(files.WEIGHTS, struct.pack("<Q", len(text) if length is None else length) + text + data)


def link(name: str, to: str) -> Harm:
    """Replaces a file by a link."""

    def harm(run: Path) -> None:
        _remove(run / name)
        (run / name).symlink_to(to)

    return harm


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def without(name: str) -> Harm:
    """Removes a file."""
    return lambda run: (run / name).unlink()


def pipe(name: str) -> Harm:
    """Replaces a file by a pipe that nobody writes to."""

    def harm(run: Path) -> None:
        (run / name).unlink()
        os.mkfifo(run / name)

    return harm


def sparse(name: str, size: int) -> Harm:
    """Makes a file a sparse one of any size."""

    def harm(run: Path) -> None:
        (run / name).touch()
        os.truncate(run / name, size)

    return harm


def paint(run: Path) -> None:
    """Writes control characters into every piece that is none of a byte."""
    vocabulary = Vocabulary((run / files.JOINT).read_bytes())
    pieces = [id for id in range(EOS + 1, len(vocabulary)) if id not in vocabulary.bytes]
    changed = {id: (vocabulary.piece(id) + PAINT).encode() for id in pieces}
    _write(run / files.JOINT, with_pieces(vocabulary.model, changed))


def misspell(run: Path) -> None:
    """Makes the last piece one that is not UTF-8."""
    vocabulary = Vocabulary((run / files.JOINT).read_bytes())
    _write(run / files.JOINT, with_pieces(vocabulary.model, {len(vocabulary) - 1: b"\xff\xfe"}))


def never_end(run: Path) -> None:
    """Gives the end of a sentence next to no probability, so every output is as long as it may be."""
    found = weights.unpacked((run / files.WEIGHTS).read_bytes())
    found["output.bias"][EOS] = -1e9
    _write(run / files.WEIGHTS, save(found))


def several(*harms: Harm) -> Harm:
    """All of these."""

    def harm(run: Path) -> None:
        for each in harms:
            each(run)

    return harm


def turned(name: str) -> Harm:
    """Turns one bit in the middle of a file."""

    def harm(run: Path) -> None:
        data = bytearray((run / name).read_bytes())
        data[len(data) // 2] ^= 1
        _write(run / name, bytes(data))

    return harm


def resealed(name: str, data: bytes) -> Harm:
    """Replaces a file of an export, and its size and hash in the manifest."""

    def harm(run: Path) -> None:
        described = json.loads((run / NMT_JSON).read_bytes())
        described["files"][name] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}
        _write(run / files.EXPORT / name, data)
        _write(run / NMT_JSON, json.dumps(described).encode())

    return harm


def described(**changed: Any) -> Harm:
    """Changes the description of an export; None takes a key out."""

    def harm(run: Path) -> None:
        values = json.loads((run / NMT_JSON).read_bytes()) | changed
        _write(run / NMT_JSON, json.dumps({key: value for key, value in values.items() if value is not None}).encode())

    return harm


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


NMT_JSON, MODEL = f"{files.EXPORT}/{files.EXPORT_METADATA}", f"{files.EXPORT}/model.bin"
F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
LENGTHS = {"median": 1, "p95": 1, "longest": 1, "tokens": 1}
FOLDERS: dict[str, Harm] = {
    "a pickle as weights": put(files.WEIGHTS, pickle.dumps(Payload())),
    "a pickle as vocabulary": put(files.JOINT, pickle.dumps(Payload())),
    "a pickle as metadata": put(files.METADATA, pickle.dumps(Payload())),
    "a pickle as recipe": put(files.RECIPE, pickle.dumps(Payload())),
    "a tag that runs a command": put(files.RECIPE, f"!!python/object/apply:os.system ['touch {CANARY}']".encode()),
    "aliases that explode": put(
        files.RECIPE,
        b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (i + 1, i + 1, i, i) for i in range(97, 120)),
    ),
    "weights with a header of 10 GB": tensors({}, length=10 << 30),
    "weights with a header of -1": put(files.WEIGHTS, b"\xff" * 8 + b"{}"),
    "weights whose header is cut short": tensors(b'{"a":', length=5),
    "weights nested 100,000 deep": tensors(b"[" * 100_000),
    "weights that overlap": tensors({"a": F32, "b": F32}, b"\0" * 4),
    "weights beyond the end": tensors({"a": {**F32, "data_offsets": [0, 1 << 40], "shape": [1 << 38]}}, b"\0" * 4),
    "weights whose shape overflows": tensors({"a": {**F32, "shape": [1 << 62, 1 << 62]}}, b"\0" * 4),
    "weights of another model": tensors({"a": F32}, b"\0" * 4),
    "no weights": without(files.WEIGHTS),
    "no vocabulary": without(files.JOINT),
    "no recipe": without(files.RECIPE),
    "no metadata": without(files.METADATA),
    "an empty vocabulary": put(files.JOINT, b""),
    "a vocabulary of noise": put(files.JOINT, bytes(range(256)) * 40),
    "metadata nested 100,000 deep": put(files.METADATA, b"[" * 100_000),
    "metadata with a number of 10,000 digits": put(files.METADATA, b'{"format": ' + b"9" * 10_000 + b"}"),
    "metadata that are a list": put(files.METADATA, b"[]"),
    "lengths that are text": edit(lengths={"source": "x", "target": "y"}),
    "no lengths": edit(lengths=None),
    "a longest sentence of 10^15 pieces": edit(lengths={"source": {**LENGTHS, "longest": 10**15}, "target": LENGTHS}),
    "no training pieces at all": edit(lengths={"source": {**LENGTHS, "tokens": 0}, "target": LENGTHS}),
    "unseen pieces up to 10^12": edit(unseen_tokens="4-1000000000000"),
    "a model of 10^12 units": recipe("feed_forward: 32", "feed_forward: 1000000000000"),
    "a model of 10^5 units": recipe("width: 16", "width: 100000000"),
    "a model of 10^9 layers": recipe("layers: 1", "layers: 1000000000"),
    "a beam of 10^9": recipe("search:\n  beam: 1", "search:\n  beam: 1000000000"),
    "translations of 10^12 pieces": recipe("max_extra: 0", "max_extra: 1000000000000"),
    "a recipe of 900 kB in one line": put(files.RECIPE, b"a: " + b"x" * 900_000),
    "weights that lead out": link(files.WEIGHTS, f"../{SECRET}"),
    "a vocabulary that leads out": link(files.JOINT, f"../{SECRET}"),
    "a recipe that leads out": link(files.RECIPE, f"../{SECRET}"),
    "metadata that lead out": link(files.METADATA, f"../{SECRET}"),
    "scores that lead out": link(files.SCORES, f"../{SECRET}"),
    "an outcome that leads out": link(files.OUTCOME, f"../{SECRET}"),
    "weights that lead to a device without end": link(files.WEIGHTS, "/dev/zero"),
    "a vocabulary that is a pipe": pipe(files.JOINT),
    "metadata that are a pipe": pipe(files.METADATA),
    "a link to itself": link(files.JOINT, files.JOINT),
    "metadata of 20 GB": sparse(files.METADATA, 20 << 30),
    "a vocabulary of 20 GB": sparse(files.JOINT, 20 << 30),
    "a recipe of 20 GB": sparse(files.RECIPE, 20 << 30),
    "scores of 20 GB": sparse(files.SCORES, 20 << 30),
    "scores that are none": put(files.SCORES, b'{"test": 1, "scores": {"bleu": null}}\n'),
    "scores that paint the terminal": put(files.SCORES, b'{"test": "\\u001b[2J"}\n'),
    "metadata that turn text around": edit(created="\u202e"),
    "a vocabulary with a piece that is not UTF-8": misspell,
    "an outcome that is text": put(files.OUTCOME, b'{"update": "x"}'),
    "an outcome that leads nowhere": link(files.OUTCOME, "nowhere"),
    "scores that would be made outside": link(files.SCORES, "../secret/new"),
    "outputs that lead out": link("outputs", "../secret"),
    "outputs that lead nowhere outside": link("outputs", "../secret/new"),
    "a beam of 1,000 with outputs of 13,300 tokens that never end": several(
        recipe("search:\n  beam: 1", "search:\n  beam: 1000"),
        recipe("max_ratio: 1.0", "max_ratio: 100.0"),
        recipe("max_extra: 0", "max_extra: 10000"),
        never_end,
    ),
}
"""Some command refuses each. Files that `nmt info` does not read may not harm it: it then succeeds."""
ODD: dict[str, Harm] = {
    "pieces that paint the terminal": paint,
    "no splits": edit(corpus={"fallback": None}),
    "unseen pieces counted a hundred thousand times": edit(unseen_tokens=" ".join(["4-999999999"] * 100_000)),
    "a checkpoint that leads nowhere": lambda run: (run / CHECKPOINTS / "step-1").symlink_to("nowhere"),
    "a longest sentence of 2^20 pieces": edit(lengths={"source": {**LENGTHS, "longest": 1 << 20}, "target": LENGTHS}),
}
"""Every command reads each, without harm."""
WIDE: dict[str, Harm] = {
    "outputs of 10,000 tokens that never end": several(recipe("max_extra: 0", "max_extra: 10000"), never_end),
    "a beam of 1,000 in batches of 2^20 tokens": several(
        recipe("search:\n  beam: 1", "search:\n  beam: 1000"),
        recipe("batch_tokens: 4096", "batch_tokens: 1048576"),
        never_end,
    ),
    "outputs of 200 tokens in batches of 2^20": several(
        recipe("max_extra: 0", "max_extra: 200"), recipe("batch_tokens: 4096", "batch_tokens: 1048576"), never_end
    ),
}
"""What takes much time, which memory may not follow."""
EXPORTS: dict[str, Harm] = {
    "an export with a bit turned in its weights": turned(MODEL),
    "an export with a bit turned in its vocabulary": turned(f"{files.EXPORT}/shared_vocabulary.json"),
    "an export without weights": without(MODEL),
    "an export that leads out": link(files.EXPORT, f"../{SECRET_EXPORT}"),
    "exported weights that lead out": link(MODEL, f"../../{SECRET}"),
    "exported weights that lead to a device without end": link(MODEL, "/dev/zero"),
    "exported weights that are a pipe": pipe(MODEL),
    "exported weights of 100 GB": sparse(MODEL, 100 << 30),
    "a description that leads out": link(NMT_JSON, f"../../{SECRET}"),
    "a description that leads to a device without end": link(NMT_JSON, "/dev/zero"),
    "a description that is a pipe": pipe(NMT_JSON),
    "a description of 20 GB": sparse(NMT_JSON, 20 << 30),
    "a description nested 100,000 deep": put(NMT_JSON, b"[" * 100_000),
    "a description of format 1": described(format=1),
    "a description without hashes": described(files=None),
    "a description without a hash of the weights": described(weights_sha256=None),
    "a description without positions": described(positions=None),
    "exported weights of noise": resealed("model.bin", bytes(range(256)) * 40),
    "no exported weights at all": resealed("model.bin", b""),
    "an exported vocabulary of one piece": resealed("shared_vocabulary.json", b'["<pad>"]'),
    "an exported vocabulary nested 100,000 deep": resealed("shared_vocabulary.json", b"[" * 100_000),
    "an exported vocabulary of other pieces": resealed(
        "shared_vocabulary.json", json.dumps([f"w{number}" for number in range(340)]).encode()
    ),
}
"""`nmt translate` takes torch for each and says so in a line; --engine ctranslate2 refuses each."""
NAMES = ("x" * 300, "x/" * 3000, "a\x1b[2Jb", "")
"""Names that no run has."""


def packed(**changed: bytes | None) -> Callable[[Path], None]:
    """Makes a bundle with changed files and a matching manifest."""

    def make(run: Path) -> None:
        held = {name: (run / name).read_bytes() for name in files.MAX_BYTES if (run / name).is_file()}
        named = {name.replace("_", "."): data for name, data in changed.items()}
        files.write_bundle(
            run.with_name(BUNDLE), {name: data for name, data in {**held, **named}.items() if data is not None}
        )

    return make


def zipped(
    name: str, data: bytes, method: int = zipfile.ZIP_STORED, mode: int = stat.S_IFREG | 0o644, times: int = 1
) -> Callable[[Path], None]:
    """Makes a valid bundle with additional files that its manifest does not list."""

    def make(run: Path) -> None:
        packed()(run)
        with zipfile.ZipFile(run.with_name(BUNDLE), "a") as archive:
            for number in range(times):
                member = zipfile.ZipInfo(name.format(number))
                member.external_attr, member.compress_type = mode << 16, method
                archive.writestr(member, data)

    return make


def bent(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Makes a valid bundle and changes its bytes."""

    def make(run: Path) -> None:
        packed()(run)
        path = run.with_name(BUNDLE)
        path.write_bytes(change(path.read_bytes()))

    return make


BUNDLES: dict[str, Callable[[Path], None]] = {
    "a bundle with a name that leads out": zipped(f"../{CANARY}", b""),
    "a bundle with an absolute name": zipped("/etc/nmt", b""),
    "a bundle with code": zipped("nmt.py", b"open('canary', 'w')"),
    "a bundle with a bomb": zipped(files.TARGET, bytes(200 << 20), zipfile.ZIP_DEFLATED),
    "a bundle with a link": zipped(files.TARGET, SECRET.encode(), mode=stat.S_IFLNK | 0o777),
    "a bundle with 100,000 members": zipped("{}", b"", times=20_000),
    "a bundle with a part that no manifest names": zipped(files.TARGET, b"x"),
    "a bundle without weights": packed(model_safetensors=None),
    "a bundle with a pickle as weights": packed(model_safetensors=pickle.dumps(Payload())),
    "a bundle without metadata": packed(run_json=None),
    "a bundle whose metadata are a list": packed(run_json=b"[]"),
    "a bundle that is cut short": bent(lambda data: data[: len(data) // 2]),
    "a bundle with a bit turned in its weights": bent(lambda data: data.replace(b"\x3d", b"\x3e", 50)),
    "a bundle behind something else": bent(lambda data: b"#!/bin/sh\n" + data),
    "a bundle of nothing": bent(lambda data: b""),
    "a bundle that says it is of 10^9 members": bent(lambda data: data[:-14] + b"\xff" * 14),
}
