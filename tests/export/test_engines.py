from __future__ import annotations

import json
from typing import TYPE_CHECKING

import ctranslate2
import pytest

from nmt.errors import UserError
from nmt.export import folder
from nmt.inference import ctranslate2 as ctranslate2_engine
from nmt.inference.ctranslate2 import DESCRIPTION, NAME, CTranslate2Translator, check
from nmt.inference.open import find_export, open_translator
from nmt.runs import run_folder
from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from tests.export.conftest import MakeRun


@pytest.fixture
def exported(make_run: MakeRun) -> Run:
    """A run with an export."""
    run = make_run()
    (run.path / NAME).mkdir()
    folder.fill(run.path / NAME, run, "float32")
    return run


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
    path.write_bytes(path.read_bytes() + b" ")
    run, said = Run(exported.path), list[str]()
    assert find_export(run, "auto", said.append) is None
    assert "not used: made of other weights than the run has now" in said[0]
    with pytest.raises(UserError, match="made of other weights"):
        find_export(run, "ctranslate2", said.append)


def test_an_engine_that_is_not_installed_names_its_extra(exported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctranslate2_engine, "find_spec", lambda _: None)
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


def test_an_export_of_another_version_is_refused(exported: Run) -> None:
    path = exported.path / NAME / DESCRIPTION
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    with pytest.raises(
        UserError, match="expected an export of format 1, found 2; it was made by another version of nmt"
    ):
        find_export(exported, "auto", pytest.fail)


def test_a_damaged_export_is_refused(exported: Run) -> None:
    (exported.path / NAME / "model.bin").write_bytes(b"nothing")
    with pytest.raises(UserError, match="CTranslate2 cannot load it"):
        open_translator(exported, "ctranslate2")


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
    warnings = [open_translator(run, "torch", split_lines=split).translate(line).warnings for split in (True, False)]
    assert [any(each.startswith("translated in parts") for each in found) for found in warnings] == [True, False]
