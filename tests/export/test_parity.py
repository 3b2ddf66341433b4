from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.errors import RunError
from nmt.export import folder, layout
from nmt.export.export import REFUSED, export
from nmt.export.parity import Agreement, Parity
from nmt.inference.exports import QUANTIZATIONS, Quantization, open_export
from nmt.models.transformer import TransformerModel
from nmt.runs.files import EXPORT
from nmt.runs.run_folder import Run
from nmt.search import SearchSettings

if TYPE_CHECKING:
    from tests.export.conftest import MakeRun


def make(run: Run, lines: list[str], quantization: Quantization = "float32", allowed_loss: float = 100.0) -> Parity:
    return export(run, quantization, lines, ["a red dog"] * len(lines), allowed_loss=allowed_loss, log=lambda _: None)


def test_an_export_brings_its_report_its_vocabulary_and_whose_weights_it_has(
    make_run: MakeRun, lines: list[str]
) -> None:
    run = make_run()
    parity = make(run, lines)
    assert (parity.greedy.same, parity.beam.same) == (len(lines), len(lines))
    assert 0 < parity.log_probability_difference < 1e-4
    made = open_export(run, own=True)
    assert made is not None
    assert made.description.quantization == "float32"
    assert json.loads((made.path / folder.PARITY).read_text())["faults"] == []
    assert (made.path / "vocabulary.model").read_bytes() == run.vocabularies[0].model


def test_int8_replaces_what_was_exported_before_and_is_smaller(make_run: MakeRun, lines: list[str]) -> None:
    run = make_run()
    sizes = []
    for quantization in QUANTIZATIONS:
        make(run, lines, quantization)
        made = open_export(run, own=True)
        assert made is not None
        assert made.description.quantization == quantization
        sizes.append((made.path / "model.bin").stat().st_size)
    assert sizes[1] < 0.75 * sizes[0]  # the table of positions stays in fp32


def test_an_export_that_translates_otherwise_is_refused_and_the_one_before_stays(
    make_run: MakeRun, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    make(run, lines)
    before = {path.name: path.read_bytes() for path in (run.path / EXPORT).iterdir()}
    filled = layout.specification

    def wrong(model: TransformerModel, *given: Any) -> Any:
        model.norm_decoder.weight.data += torch.linspace(0, 2, model.width)
        return filled(model, *given)

    monkeypatch.setattr(layout, "specification", wrong)
    with pytest.raises(
        RunError, match=r"not exported: greedy: \d+ of 26 texts are the same, expected 99\.9%.*\n.*refused"
    ):
        make(run, lines)
    assert {path.name: path.read_bytes() for path in (run.path / EXPORT).iterdir()} == before
    report = json.loads((run.path / REFUSED).read_text())
    assert report["greedy"]["same"] < len(lines)
    assert report["greedy"]["differing"][0].keys() == {"source", "model", "model_score", "export", "export_score"}
    assert sorted(path.name for path in run.path.glob(".*")) == []


def report(**changed: Any) -> Parity:
    agreement = Agreement(SearchSettings(), 1000, 0.0, [])
    parity = Parity("float32", 1000, agreement, agreement, agreement, 1e-6, 30.0, 29.8, "nrefs:1", 0.3)
    return replace(parity, **changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"greedy": Agreement(SearchSettings(), 998, 0.0, [])}, ["greedy: 998 of 1,000"]),
        ({"beam": Agreement(SearchSettings(), 998, 0.0, [])}, ["beam without length penalty: 998 of 1,000"]),
        ({"log_probability_difference": 2e-4}, ["log-probabilities differ by 2.0e-04"]),
        ({"log_probability_difference": float("nan")}, ["log-probabilities differ by nan"]),
        ({"export_bleu": 29.6}, ["BLEU falls from 30.00 to 29.60"]),
        ({"greedy": Agreement(SearchSettings(), 999, 0.0, []), "own": Agreement(SearchSettings(), 900, 0.0, [])}, []),
        (
            {
                "quantization": "int8",
                "greedy": Agreement(SearchSettings(), 700, 0.0, []),
                "log_probability_difference": 0.1,
            },
            [],
        ),
        ({"quantization": "int8", "export_bleu": 29.6}, ["BLEU falls"]),
    ],
)
def test_a_report_names_every_fault_and_no_other(changed: dict[str, Any], words: list[str]) -> None:
    faults = report(**changed).faults
    assert len(faults) == len(words)
    assert all(fault.startswith(word) for fault, word in zip(faults, words, strict=True))


def test_the_table_of_positions_reaches_as_far_as_the_runs_translator_goes(make_run: MakeRun) -> None:
    assert folder.most_positions(make_run()) == 1024
    assert folder.most_positions(make_run("long", "search.max_ratio=40.0")) == 41 * 40 + 5
