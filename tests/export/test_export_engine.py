from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.data.batches import collate
from nmt.data.vocabulary import BOS, EOS
from nmt.export import folder
from nmt.inference import exports
from nmt.inference.ctranslate2 import CTranslate2Translator
from nmt.inference.exports import Description, Export
from nmt.inference.open import open_translator, training_statistics
from nmt.inference.translator import Translation
from nmt.models.transformer import TransformerModel
from nmt.runs.run_folder import Run
from nmt.search import length_penalty

if TYPE_CHECKING:
    from tests.export.conftest import MakeRun


def exported(
    export: Export, run: Run, *, workers: int = 1, batch_tokens: int = 4096, **search: Any
) -> CTranslate2Translator:
    return CTranslate2Translator(
        export,
        *run.vocabularies,
        run.search_settings(keep_weights=True, **search),
        training_statistics(run),
        batch_tokens=batch_tokens,
        workers=workers,
        threads=1,
    )


def both(run: Run, lines: list[str], made: Path, **search: Any) -> tuple[list[Translation], list[Translation]]:
    """Translations by torch and by the export."""
    if not made.exists():
        made.mkdir()
        folder.fill(made, run, "float32")
    described = Description(weights_sha256="", quantization="float32", positions=folder.most_positions(run))
    export = exports.read_built(made, described)
    ours = open_translator(run, "torch", search=run.search_settings(keep_weights=True, **search), split="never")
    return ours.translate(lines), exported(export, run, **search).translate(lines)


@pytest.mark.parametrize("settings", [{"beam": 1}, {"beam": 4, "length_penalty": 0.0}])
@pytest.mark.parametrize("overrides", [(), ("vocabulary.joint=false", "model.tied=false")], ids=["joint", "apart"])
def test_under_matched_rules_the_export_translates_as_the_model(
    make_run: MakeRun, lines: list[str], tmp_path: Path, overrides: tuple[str, ...], settings: dict[str, Any]
) -> None:
    """Many of these end at their longest length, others by themselves: both ways are matched."""
    ours, theirs = both(make_run("run", *overrides), lines, tmp_path / "export", **settings)
    assert [(each.text, each.pieces, each.source_pieces, each.alignment, each.warnings) for each in theirs] == [
        (each.text, each.pieces, each.source_pieces, each.alignment, each.warnings) for each in ours
    ]
    assert [each.score for each in theirs] == pytest.approx([each.score for each in ours], abs=1e-4, rel=1e-6)
    assert any(each.warnings for each in ours)
    assert any(each.pieces and not each.warnings for each in ours)


def test_weights_are_those_of_the_model_also_in_a_batch_and_at_the_ends(
    make_run: MakeRun, lines: list[str], tmp_path: Path
) -> None:
    ours, theirs = both(make_run(), lines, tmp_path / "export", beam=4, length_penalty=0.0)
    compared = [
        (one.weights, other.weights) for one, other in zip(ours, theirs, strict=True) if one.weights is not None
    ]
    assert len(compared) == 24
    for expected, found in compared:
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0.0)


def test_our_penalty_ranks_what_the_export_finds(make_run: MakeRun, lines: list[str], tmp_path: Path) -> None:
    ours, theirs = both(make_run(), lines, tmp_path / "export", beam=4, length_penalty=1.5, nbest=4)
    for one, other in zip(ours, theirs, strict=True):
        scores = [other.score, *(score for _, score in other.alternatives)]
        assert scores == sorted(scores, reverse=True)
        assert (
            other.score <= one.score + 1e-4
        )  # it may stop earlier; if the model's own search found less, its rules were not ours
    assert sum(one.text == other.text for one, other in zip(ours, theirs, strict=True)) > len(lines) / 2


def test_a_hypothesis_that_never_ends_is_cut_where_ours_is(make_run: MakeRun, lines: list[str], tmp_path: Path) -> None:
    run = make_run()
    model = run.model()
    assert isinstance(model, TransformerModel)
    with torch.no_grad():
        model.output.bias[EOS] = -50
    run.model = lambda: model  # type: ignore[method-assign]
    for settings in ({"beam": 1}, {"beam": 3, "length_penalty": 0.6}):
        ours, theirs = both(run, lines, tmp_path / "export", **settings)
        assert [each.pieces for each in theirs] == [each.pieces for each in ours]
        assert all(each.warnings for each in theirs if each.source)


def test_pieces_that_no_target_has_are_never_given(make_run: MakeRun, lines: list[str], tmp_path: Path) -> None:
    run = make_run()
    model = run.model()
    assert isinstance(model, TransformerModel)
    with torch.no_grad():
        model.output.bias[BOS] = 50
    run.model = lambda: model  # type: ignore[method-assign]
    _, theirs = both(run, lines, tmp_path / "export", beam=2)
    assert all(each.pieces and "<s>" not in each.pieces for each in theirs if each.source)


def test_probabilities_under_teacher_forcing_are_the_models(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    export = folder.fill(tmp_path, run, "float32")
    translator = exported(export, run)
    sources, targets = (
        [vocabulary.encode(line) for line in ("Hund rot", "Katze groß Baum")] for vocabulary in run.vocabularies
    )
    batch = collate(sources, targets)
    with torch.inference_mode():
        logits = run.model()(batch.source, batch.source_mask, batch.previous)
    expected = logits.log_softmax(-1).gather(2, batch.expected.unsqueeze(2)).squeeze(2)[batch.target_mask].tolist()
    assert [score for row in translator.score(sources, targets) for score in row] == pytest.approx(expected, abs=1e-4)


def test_neither_batches_nor_workers_change_a_translation(make_run: MakeRun, lines: list[str], tmp_path: Path) -> None:
    run = make_run()
    export = folder.fill(tmp_path, run, "float32")
    expected = exported(export, run).translate(lines)
    for given in ({"workers": 2}, {"batch_tokens": 1}, {"batch_tokens": 60}):
        found = exported(export, run, **given).translate(lines)
        assert [(each.text, each.alignment) for each in found] == [(each.text, each.alignment) for each in expected]


def test_scores_are_log_probabilities_after_our_penalty(make_run: MakeRun, lines: list[str], tmp_path: Path) -> None:
    run = make_run()
    export = folder.fill(tmp_path, run, "float32")
    plain, penalised = (exported(export, run, beam=1, length_penalty=alpha).translate(lines[0]) for alpha in (0.0, 1.0))
    assert penalised.score == pytest.approx(plain.score / length_penalty(len(plain.pieces), 1.0))
