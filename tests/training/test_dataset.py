from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.data import vocabulary
from nmt.errors import UserError
from nmt.runs.run_folder import Run
from nmt.text.stand_ins import STAND_IN
from nmt.training import dataset as dataset_module, loading, planning

if TYPE_CHECKING:
    from tests.training.conftest import Toy


def test_both_sides_are_encoded_in_order(toy: Toy) -> None:
    dataset = loading.load_dataset(toy.recipe(), print)
    assert dataset.joint
    assert [dataset.source.decode(dataset.train[0][row]) for row in range(5)] == dataset.corpus.train.source[:5]
    assert [dataset.target.decode(dataset.valid[1][row]) for row in range(4)] == dataset.corpus.valid.target


def test_the_vocabulary_is_learned_from_the_training_split_alone(toy: Toy) -> None:
    before = loading.load_dataset(toy.recipe(), print).source.model
    for name in ("valid", "test"):
        Path(f"{name}.tsv").write_text(f"ein ganz anderer Satz {name}\tquite another sentence\n")
    assert loading.load_dataset(toy.recipe(), print).source.model == before


def test_the_vocabulary_of_another_run_is_used(toy: Toy) -> None:
    toy.train("other", "training.updates=1")
    Path("train.tsv").write_text("Haus\thouse\n")
    dataset = loading.load_dataset(toy.recipe("vocabulary.from=other"), print)
    assert dataset.joint
    assert dataset.source.model == Run(Path("other")).vocabularies[0].model


def test_a_sentencepiece_file_is_used_for_both_languages(toy: Toy) -> None:
    toy.train("other", "training.updates=1")
    dataset = loading.load_dataset(toy.recipe("vocabulary.from=other/vocabulary.model"), print)
    assert dataset.joint
    assert dataset.source.model == Path("other/vocabulary.model").read_bytes()


def test_validation_is_concatenated_as_training_is(toy: Toy) -> None:
    single, joined = (loading.load_dataset(toy.recipe(f"data.concatenation={count}"), print) for count in (1, 3))
    assert len(joined.corpus.valid) < len(single.corpus.valid)
    assert sorted(" ".join(joined.corpus.valid.target).split()) == sorted(" ".join(single.corpus.valid.target).split())
    assert joined.source.decode(joined.valid[0][0]) == joined.corpus.valid.source[0]


def test_the_tokens_of_concatenated_sentences_are_the_concatenated_tokens(toy: Toy) -> None:
    dataset = loading.load_dataset(toy.recipe(), print)
    sentences = dataset.corpus.train.source[:8]
    assert dataset.source.encode(" ".join(sentences)) == [
        piece for sentence in sentences for piece in dataset.source.encode(sentence)
    ]


def test_segmentations_are_drawn_anew_in_every_epoch_only_where_the_recipe_samples(toy: Toy) -> None:
    def shapes(alpha: float, epoch: int) -> list[list[list[int]]]:
        recipe = toy.recipe(f"vocabulary.sampling={alpha}", "training.batch_tokens=100000")
        return planning.batches(recipe, loading.load_dataset(recipe, print)).batch(epoch, 0).source.tolist()

    assert sorted(map(sorted, shapes(0, 0))) == sorted(map(sorted, shapes(0, 1)))
    assert shapes(0.1, 0) == shapes(0.1, 0)
    assert sorted(map(sorted, shapes(0.1, 0))) != sorted(map(sorted, shapes(0.1, 1)))


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_split_that_has_changed_is_an_error_that_names_it(toy: Toy, split: str) -> None:
    toy.train("run", "training.updates=1")
    lines = Path(f"{split}.tsv").read_text("utf8").splitlines()
    Path(f"{split}.tsv").write_text("\n".join([*lines[:-1], "grün grün\tred red"]), "utf8")
    with pytest.raises(UserError, match=rf"data\.{split}: not the text that run was begun with"):
        loading.reload_dataset(Run(Path("run")), print)


STORED = ("data.in_memory=9",)


@pytest.mark.parametrize(
    "ways",
    [
        (),
        ("data.concatenation=3", "training.concatenation_growth=2"),
        ("vocabulary.sampling=0",),
        ("vocabulary.joint=false", "vocabulary.size=282"),
    ],
)
def test_a_corpus_in_files_gives_the_batches_of_the_one_in_memory(toy: Toy, ways: tuple[str, ...]) -> None:
    """With subword sampling on, but for one way."""
    found = []
    for recipe in (toy.recipe(*ways), toy.recipe(*ways, *STORED)):
        dataset = loading.load_dataset(recipe, print)
        made = planning.batches(recipe, dataset)
        batches = [made.batch(epoch, number) for epoch in (0, 1, 2) for number in range(made.count(epoch))]
        found.append(
            (
                dataset.source.model,
                dataset.target.model,
                [(batch.source.tolist(), batch.expected.tolist()) for batch in batches],
            )
        )
    assert found[0] == found[1]


def test_token_ids_are_cached_once_for_a_text_and_its_vocabularies(toy: Toy) -> None:
    folders = [
        loading.load_dataset(toy.recipe(*STORED, *ways), print).cached
        for ways in ((), ("training.seed=2",), ("vocabulary.size=297",))
    ]
    assert folders[0] == folders[1] != folders[2]
    assert sorted(path.name.partition("-")[0] for path in Path("cache").iterdir()) == [
        "text",
        "tokens",
        "tokens",
        "vocabulary",
        "vocabulary",
    ]


def test_damaged_token_ids_are_an_error(toy: Toy) -> None:
    cached = loading.load_dataset(toy.recipe(*STORED), print).cached
    assert cached is not None
    with (cached.path / "target.values").open("r+b") as file:
        file.write(b"\xff")
    with pytest.raises(UserError, match=r"tokens-.*: damaged \(target.values has changed\)\ndelete this folder"):
        loading.load_dataset(toy.recipe(*STORED), print)


def test_segmentations_are_the_same_whether_or_not_they_are_kept(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = toy.recipe()
    dataset = loading.load_dataset(recipe, print)
    kept = planning.batches(recipe, dataset)
    monkeypatch.setattr(dataset_module, "CACHED_SEGMENTATIONS", 3)
    looked_up = planning.batches(recipe, dataset)
    assert [kept.batch(epoch, 0).source.tolist() for epoch in (0, 1, 0)] == [
        looked_up.batch(epoch, 0).source.tolist() for epoch in (0, 1, 0)
    ]


def test_on_a_large_corpus_the_share_of_lines_that_is_learned_from_is_logged(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = loading.load_dataset(toy.recipe(), print).source.model
    monkeypatch.setattr(vocabulary, "MAX_LINES", 50)
    logged: list[str] = []
    some = loading.load_dataset(toy.recipe("vocabulary.size=290"), logged.append)
    lines = [*some.corpus.train.source, *some.corpus.train.target]
    assert f"of {len(lines)} lines one in 3 is learned from, beginning with the first" in logged
    assert some.source.model == vocabulary.train(lines[::3], type="unigram", size=290) != whole


def test_from_text_in_files_only_as_much_is_learned_from_as_fits_into_memory(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "MAX_BYTES", 1000)
    logged: list[str] = []
    kept, some = (
        loading.load_dataset(toy.recipe("vocabulary.size=290", *ways), logged.append) for ways in ((), STORED)
    )
    lines = [*kept.corpus.train.source, *kept.corpus.train.target]
    every = -(-sum(len(line.encode()) for line in lines) // 1000)
    assert [line for line in logged if "is learned from" in line] == [
        f"of {len(lines)} lines one in {every} is learned from, beginning with the first"
    ]
    assert some.source.model == vocabulary.train(lines[::every], type="unigram", size=290) != kept.source.model


SPANS = "um 10:30 bei {{name}} {0}\tat 10:30 near {{name}} {0}\n"


def test_with_placeholders_training_and_validation_have_stand_ins_and_the_test_set_has_none(toy: Toy) -> None:
    for name in ("train", "valid", "test"):
        Path(f"{name}.tsv").write_text(Path(f"{name}.tsv").read_text("utf8") + SPANS.format(name), "utf8")
    off, on = (loading.load_dataset(toy.recipe(f"data.placeholders={key}"), print) for key in ("false", "true"))
    assert [on.source.has_stand_ins, off.source.has_stand_ins] == [True, False]
    for pairs in (on.corpus.train, on.corpus.valid):
        assert len(STAND_IN.findall(pairs.source[-1])) >= 2
        assert STAND_IN.findall(pairs.source[-1]) == STAND_IN.findall(pairs.target[-1])
        assert "10:30" not in pairs.source[-1] + pairs.target[-1]
    assert on.corpus.test == off.corpus.test
    assert on.corpus.metadata.splits == off.corpus.metadata.splits
    assert on.source.decode(on.train[0][len(on.corpus.train) - 1]) == on.corpus.train.source[-1]


@pytest.mark.parametrize("way", [(), ("vocabulary.from=own.model",)], ids=["learned", "given"])
def test_cached_text_with_stand_ins_is_no_text_without(toy: Toy, way: tuple[str, ...]) -> None:
    """A given vocabulary is the same in both, so it does not tell them apart."""
    Path("train.tsv").write_text(Path("train.tsv").read_text("utf8") + SPANS.format("a"), "utf8")
    Path("own.model").write_bytes(loading.load_dataset(toy.recipe("data.placeholders=true"), print).source.model)

    def content(key: str, *more: str) -> tuple[object, ...]:
        found = loading.load_dataset(toy.recipe(*way, f"data.placeholders={key}", *more), print)
        texts, rows = found.corpus.train, range(len(found.corpus.train))
        tokens = [(list(found.train[0][row]), list(found.train[1][row])) for row in rows]
        return found.source.model, list(texts.source), list(texts.target), tokens

    kept = {key: content(key) for key in ("false", "true")}
    assert kept["false"] != kept["true"]
    for key in ("false", "true", "false", "true"):
        assert content(key, *STORED) == kept[key]
    assert [len(list(Path("cache").glob(f"{kind}-*"))) for kind in ("text", "standins", "tokens")] == [1, 1, 2]


def test_a_vocabulary_without_stand_ins_is_refused_with_placeholders(toy: Toy) -> None:
    Path("own.model").write_bytes(loading.load_dataset(toy.recipe(), print).source.model)
    with pytest.raises(UserError, match=r"data\.placeholders: the vocabulary of own\.model has no stand-ins"):
        loading.load_dataset(toy.recipe("vocabulary.from=own.model", "data.placeholders=true"), print)
