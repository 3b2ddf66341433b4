from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ctranslate2
import pytest

from nmt.errors import UserError
from nmt.export import folder
from nmt.inference import exports
from nmt.inference.ctranslate2 import CTranslate2Translator
from nmt.inference.exports import LIST, MODEL, Description, check
from nmt.inference.open import find_export, open_translator, training_statistics
from nmt.inference.translator import TorchTranslator
from nmt.models import weights
from nmt.runs import run_folder
from nmt.runs.files import EXPORT, EXPORT_METADATA
from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from tests.export.conftest import MakeRun


@pytest.fixture
def exported(make_run: MakeRun) -> Run:
    """A run with an export of this user."""
    run = make_run()
    place = run.path / EXPORT
    place.mkdir()
    exports.describe(place, folder.fill(place, run, "float32").description)
    exports.note(run)
    return run


def refused(run: Run, words: str) -> None:
    """``auto`` takes torch and says why in one line; asking for the export is an error."""
    said: list[str] = []
    assert isinstance(open_translator(run, log=said.append), TorchTranslator)
    assert len(said) == 1
    assert re.search(f"translating with torch: .*{words}", said[0])
    assert "\n" not in said[0]
    with pytest.raises(UserError, match=words):
        open_translator(run, "ctranslate2")


def test_auto_takes_the_export_and_says_so_and_torch_does_not(exported: Run) -> None:
    said: list[str] = []
    assert isinstance(open_translator(exported, log=said.append), CTranslate2Translator)
    assert said == ["translating with CTranslate2 in float32; --engine torch takes the run itself"]
    assert find_export(exported, "torch", said.append) is None


def test_an_export_refuses_another_precision_than_it_was_made_with(exported: Run) -> None:
    with pytest.raises(ValueError, match="precision: an export computes in the numbers that it was made with"):
        open_translator(exported, precision="bf16")


def test_auto_without_an_export_says_nothing(make_run: MakeRun) -> None:
    assert find_export(make_run(), "auto", pytest.fail) is None


def test_an_export_of_other_weights_is_not_used(exported: Run) -> None:
    path = exported.path / run_folder.WEIGHTS
    path.write_bytes(weights.packed(exported.model(), {"made": "again"}))
    refused(Run(exported.path), "made of other weights than the run has now; export it again: nmt export")


def test_an_engine_that_is_not_installed_names_its_extra(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda _: None)
    said: list[str] = []
    assert find_export(exported, "auto", said.append) is None
    assert "pip install 'nmt-recipes[ct2]'" in said[0]
    with pytest.raises(UserError, match=r"pip install 'nmt-recipes\[ct2\]'"):
        find_export(exported, "ctranslate2", said.append)


def test_a_quantization_that_the_machine_lacks_is_named_with_those_it_has(
    exported: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _: {"float32"})
    with pytest.raises(
        UserError, match="--quantization: CTranslate2 does not compute in int8 on this CPU; it does in float32"
    ):
        check(exported, "int8")


def test_an_export_without_hashes_is_refused_and_names_the_command(exported: Run) -> None:
    rewrite(exported, format=1)
    refused(exported, "an export of format 1, which has no hashes of its files; export it again: nmt export")


def rewrite(run: Run, **changed: object) -> None:
    """Changes the description of an export, and notes it as made here."""
    path = run.path / EXPORT / EXPORT_METADATA
    values = {**json.loads(path.read_text()), **changed}
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))
    exports.note(run)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"format": 3}, "format: "),
        ({"weights_sha256": None}, "weights_sha256: "),
        ({"quantization": None}, "quantization: "),
        ({"quantization": "int4"}, "quantization: "),
        ({"positions": None}, "positions: "),
        ({"positions": "x"}, "positions: "),
        ({"positions": 10**30}, "positions: "),
        ({"files": None}, r"damaged \(the manifest is no object\)"),
        ({"files": {}}, r"damaged \(its manifest has no model\.bin\)"),
        ({"files": {MODEL: {"bytes": 1}}}, r"damaged \(the manifest gives no size and hash of model\.bin\)"),
    ],
)
def test_a_description_of_another_shape_is_refused(exported: Run, changed: dict[str, object], words: str) -> None:
    rewrite(exported, **changed)
    refused(exported, words)


@pytest.mark.parametrize("name", [MODEL, "config.json", "shared_vocabulary.json"])
def test_a_file_with_one_bit_turned_is_refused(exported: Run, name: str) -> None:
    path = exported.path / EXPORT / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    refused(exported, rf"damaged \({name} differs from its manifest\)")


@pytest.mark.parametrize("name", [MODEL, "config.json", "shared_vocabulary.json"])
def test_a_missing_file_is_named(exported: Run, name: str) -> None:
    (exported.path / EXPORT / name).unlink()
    refused(exported, rf"damaged \({name} is missing\)")


def link_out(path: Path) -> None:
    path.rename(path.parents[2] / "outside")
    path.symlink_to(path.parents[2] / "outside")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def grow(path: Path) -> None:
    os.truncate(path, 100 << 30)


@pytest.mark.parametrize("harm", [link_out, pipe, device, grow])
@pytest.mark.parametrize("name", [MODEL, EXPORT_METADATA])
def test_an_export_is_read_through_the_door_of_the_run_folder(
    exported: Run, name: str, harm: Callable[[Path], None]
) -> None:
    harm(exported.path / EXPORT / name)
    refused(exported, f"{EXPORT}/{name}: ")


def test_the_folder_of_an_export_is_no_link_out(exported: Run) -> None:
    outside = exported.path.parent / "outside"
    (exported.path / EXPORT).rename(outside)
    (exported.path / EXPORT).symlink_to(outside)
    refused(exported, "a link out of the run folder is not followed")


def test_what_ctranslate2_loads_is_what_was_compared_and_not_what_lies_there_later(
    exported: Run, lines: list[str]
) -> None:
    export = find_export(exported, "ctranslate2", pytest.fail)
    assert export is not None
    expected = open_translator(exported, "ctranslate2", split="never").translate(lines)
    shutil.rmtree(exported.path / EXPORT)
    found = CTranslate2Translator(
        export, *exported.vocabularies, exported.search_settings(), training_statistics(exported)
    )
    assert found.translate(lines) == expected


def test_auto_takes_no_export_that_this_user_has_not_made_and_asking_for_it_does(
    exported: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    said: list[str] = []
    assert isinstance(open_translator(exported, log=said.append), TorchTranslator)
    assert "not made by you on this machine; --engine ctranslate2 takes it as it is" in said[0]
    assert isinstance(open_translator(exported, "ctranslate2"), CTranslate2Translator)


def test_an_export_of_this_user_is_known_wherever_its_run_is_moved(exported: Run, tmp_path: Path) -> None:
    moved = Run(exported.path.rename(tmp_path / "elsewhere"))
    assert isinstance(open_translator(moved), CTranslate2Translator)


def test_a_state_folder_that_is_no_absolute_path_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exported: Run
) -> None:
    """A relative one would be a folder that a stranger can send along."""
    monkeypatch.chdir(exported.path)
    (exported.path / "state" / LIST).parent.mkdir(parents=True)
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    exports.note(exported)
    assert (tmp_path / ".local" / "state" / LIST).exists()
    assert not (exported.path / "state" / LIST).exists()


def test_a_file_that_ctranslate2_cannot_load_is_an_error_in_words(exported: Run) -> None:
    place = exported.path / EXPORT
    (place / MODEL).write_bytes(b"nothing")
    (place / EXPORT_METADATA).unlink()
    exports.describe(place, Description(weights_sha256=exported.weights_sha256, quantization="float32", positions=99))
    exports.note(exported)
    refused(exported, "CTranslate2 cannot load it")


@pytest.mark.parametrize("words", [["<pad>"], [f"w{number}" for number in range(320)], ["<s>"] * 320])
def test_a_vocabulary_of_other_pieces_ends_in_words(exported: Run, lines: list[str], words: list[str]) -> None:
    place = exported.path / EXPORT
    (place / "shared_vocabulary.json").write_text(json.dumps(words))
    (place / EXPORT_METADATA).unlink()
    exports.describe(place, Description(weights_sha256=exported.weights_sha256, quantization="float32", positions=99))
    with pytest.raises(UserError, match=r"CTranslate2 (cannot load it|failed on a sentence)"):
        open_translator(exported, "ctranslate2").translate(lines)


def test_a_beam_that_ctranslate2_takes_too_long_for_is_left_to_torch(exported: Run) -> None:
    wide, said = exported.search_settings(beam=101), list[str]()
    assert isinstance(open_translator(exported, search=wide, log=said.append), TorchTranslator)
    assert said == [
        "translating with torch: beam: CTranslate2 takes a beam of at most 100, found 101; take --engine torch"
    ]
    with pytest.raises(ValueError, match="beam: CTranslate2 takes a beam of at most 100"):
        open_translator(exported, "ctranslate2", search=wide)


def test_what_cannot_be_exported_says_why_and_what_to_do(make_run: MakeRun) -> None:
    run = make_run(
        "lstm", "model.family=recurrent", "model.embedding=8", "model.encoder.hidden=8", "model.decoder.hidden=8"
    )
    with pytest.raises(
        UserError,
        match=r"CTranslate2 has no model of this kind \(LSTM, attention\); only Transformers.*\n.*--engine torch",
    ):
        check(run, "float32")
    with pytest.raises(UserError, match="has no model of this kind"):
        find_export(run, "ctranslate2", pytest.fail)


def test_a_search_that_ctranslate2_would_change_is_left_to_torch(make_run: MakeRun) -> None:
    with pytest.raises(UserError, match=r"search\.min_length: expected 0, found 2: .*; take --engine torch"):
        check(make_run("run", "search.min_length=2"), "float32")


def test_asking_for_an_export_that_is_not_there_says_how_to_make_it(make_run: MakeRun) -> None:
    with pytest.raises(UserError, match=r"no such export; make it: nmt export .* --to ctranslate2"):
        find_export(make_run(), "ctranslate2", pytest.fail)


def test_exports_and_workers_compute_on_the_cpu_only(exported: Run) -> None:
    with pytest.raises(UserError, match="--engine ctranslate2: an export computes on the CPU, found --device cuda"):
        open_translator(exported, "ctranslate2", device="cuda")
    with pytest.raises(UserError, match="--workers: processes compute on the CPU, found --device cuda"):
        open_translator(exported, "torch", device="cuda", workers=2)


def test_a_translator_with_other_settings_equals_one_opened_with_them(make_run: MakeRun, lines: list[str]) -> None:
    run = make_run()
    greedy = run.search_settings(beam=1, keep_weights=True)
    varied = open_translator(run, "torch", device="cpu").with_search(greedy)
    assert varied.translate(lines) == open_translator(run, "torch", device="cpu", search=greedy).translate(lines)


def test_a_line_is_split_unless_it_is_to_be_translated_whole(make_run: MakeRun, lines: list[str]) -> None:
    run, line = make_run(), lines[-1]
    warnings = [
        open_translator(run, "torch", split="never", split_long=long).translate(line).warnings for long in (True, False)
    ]
    assert [any(each.startswith("translated in parts") for each in found) for found in warnings] == [True, False]
