from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from rich.console import Console

from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.evaluation.metrics import Bleu
from nmt.inference.open import open_translator
from nmt.lab.experiments import search
from nmt.lab.experiments.experiment import Options
from nmt.lab.experiments.search import EXPERIMENT, BeamResult, Results, Scored
from nmt.lab.plotting import style
from nmt.recipe import reading
from nmt.runs.run_folder import Run
from nmt.training.begin import train

WORDS = {
    "rot": "red",
    "grün": "green",
    "Hund": "dog",
    "Katze": "cat",
    "groß": "tall",
    "klein": "small",
    "Haus": "house",
    "Baum": "tree",
}
RECIPE = """
data: {train: train.tsv, valid: valid.tsv, test: test.tsv}
vocabulary: {size: 296}
model: {embedding: 16, attention_size: 16, encoder: {hidden: 16}, decoder: {hidden: 16}, dropout: 0}
training: {updates: 60, batch_tokens: 512, warmup: 1, learning_rate: 0.03, threads: 1, device: cpu, precision: fp32}
search: {beam: 2, min_length: 3, max_ratio: 0.5, max_extra: 0}
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder after sixty updates. Its recipe allows outputs of half the source, shorter than any reference."""
    folder, generator = tmp_path_factory.mktemp("trained"), random.Random(1)
    for name, count in (("train", 60), ("valid", 6), ("test", 4)):
        sentences = [generator.choices(list(WORDS), k=generator.randint(2, 6)) for _ in range(count)]
        pairs = (f"{' '.join(words)}\t{' '.join(WORDS[word] for word in reversed(words))}\n" for words in sentences)
        (folder / f"{name}.tsv").write_text("".join(pairs), "utf8")
    (folder / "toy.yaml").write_text(RECIPE, "utf8")
    specs = [f"data.{name}={folder / name}.tsv" for name in ("train", "valid", "test")]
    recipe = reading.read(folder / "toy.yaml", specs)
    assert (
        train(recipe, folder / "run", restart=False, log=lambda line: None, console=Console(quiet=True), quiet=True)
        == 0
    )
    return folder / "run"


def quiet(line: str) -> None:
    pass


def scored(text: str, score: float, pieces: str = "") -> Scored:
    return Scored(text, tuple(pieces or text), 2 * score, score)


def result(beam: int, *found: Scored) -> BeamResult:
    return BeamResult(
        beam,
        list(found),
        Bleu(name="BLEU", value=float(beam), signature="s", low=0.0, high=9.0, brevity_penalty=1.0, length_ratio=1.0),
        0,
    )


def test_a_reference_with_a_higher_score_is_a_search_error_and_otherwise_a_model_error() -> None:
    assert search.error(scored("a", -2.0), scored("b", -1.0)) == "search"
    assert search.error(scored("a", -1.0), scored("b", -2.0)) == "model"
    assert search.error(scored("a", -1.0), scored("a", -1.0)) == "same"


def test_the_reference_in_other_pieces_is_no_model_error_but_can_be_a_search_error() -> None:
    assert search.error(scored("ab", -1.0, "ab"), scored("ab", -2.0, "a b")) == "same"
    assert search.error(scored("ab", -2.0, "ab"), scored("ab", -1.0, "a b")) == "search"


def test_the_same_pieces_never_score_above_themselves_however_sums_are_rounded() -> None:
    assert not search.higher(scored("a", -1.0), scored("a", -1.0000001))
    assert search.error(scored("a", -1.0000001), scored("a", -1.0)) == "same"


def test_an_output_of_another_beam_proves_search_errors_that_no_reference_shows() -> None:
    references = [scored("r", -9.0), scored("r", -1.0), scored("r", -9.0)]
    one, two = (
        result(1, scored("a", -3.0), scored("a", -2.0), scored("a", -2.0)),
        result(2, scored("b", -2.0), scored("r", -1.0), scored("b", -4.0)),
    )
    results = Results(references, [one, two])
    assert results.errors(one) == ["model", "search", "model"]
    assert results.errors(two) == ["model", "same", "model"]
    assert results.missed(one) == [True, True, False]
    assert results.missed(two) == [False, False, True]
    assert results.gains(two) == [True, True, False]
    assert results.more_probable(one) == [False, True, False]


def test_teacher_forced_scores_equal_the_scores_of_search(toy: Path) -> None:
    """Two ways to one number: the sum over the steps of the search, and a single pass over the whole target."""
    run, lines = Run(toy), ["rot Hund", "klein Haus groß Baum", "Katze"]
    found = open_translator(run, "torch", search=run.search_settings(beam=3, max_ratio=3.0)).translate(lines)
    model, (source, target) = run.model(), run.vocabularies
    forced = search.references(model, source, target, Pairs(lines, [each.text for each in found]), 0.6)
    same = [
        (one.score, other.score) for one, other in zip(forced, found, strict=True) if list(one.pieces) == other.pieces
    ]
    assert same, "at least one output is in its best segmentation"
    assert [one for one, _ in same] == pytest.approx([other for _, other in same], rel=1e-4)  # float32


@pytest.mark.parametrize("task", search.TASKS)
def test_a_run_gives_a_row_for_every_beam_on_its_validation_split_and_leaves_the_folder_alone(
    task: str, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BEAMS", (1, 4))
    before = sorted(toy.rglob("*"))
    outcome = EXPERIMENT(Options(run=toy, task=task), quiet)
    values = [dict(zip(outcome.columns, row, strict=True)) for row in outcome.rows]
    assert [row["beam"] for row in values] == [1, 4]
    assert outcome.conditions["length penalty"] == (0.6 if task == "penalty" else 0.0)
    assert "its first 6 sentences" in outcome.conditions["split"]
    for row in values:
        shares = [row[name] for name in ("search errors, %", "model errors, %", "as reference, %")]
        assert sum(float(share or 0) for share in shares) == pytest.approx(100)
    assert json.loads(json.dumps(outcome.as_json()))["details"]["beams"]["4"]["errors"]
    assert outcome.figure is not None
    assert "</svg>" in style.svg(outcome.figure())
    assert sorted(toy.rglob("*")) == before


def test_search_may_find_every_reference_whatever_the_recipe_allows(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BEAMS", (1,))
    run = Run(toy)
    pairs = search.sentences(run, quiet)
    assert len(pairs) == 6
    _, settings = search.measure(run, pairs, run.search_settings(), quiet)
    source, target = run.vocabularies
    for one, other in zip(pairs.source, pairs.target, strict=True):
        assert (
            len(target.encode(other)) + 1
            <= int((len(source.encode(one)) + 1) * settings.max_ratio) + settings.max_extra
        )


def test_without_a_run_the_option_is_asked_for() -> None:
    with pytest.raises(UserError, match="--run: this experiment needs a trained translator"):
        EXPERIMENT(Options(), quiet)


def test_another_validation_text_than_the_runs_is_refused(toy: Path) -> None:
    valid = toy.parent / "valid.tsv"
    text = valid.read_text("utf8")
    valid.write_text(text.replace("dog", "hound"), "utf8")
    try:
        with pytest.raises(UserError, match=r"data\.valid: not the text"):
            EXPERIMENT(Options(run=toy), quiet)
    finally:
        valid.write_text(text, "utf8")
