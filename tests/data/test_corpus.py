from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nmt.data import builtin, corpus as module, hub
from nmt.data.corpus import Corpus, load, load_again, load_test, pinned
from nmt.data.metadata import CorpusMetadata, CorpusRequest, RequestRecord
from nmt.data.pairs import Pairs
from nmt.errors import RunError, UserError
from nmt.recipe.types import Data


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def _small_builtin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "pairs", lambda split, *_: [(f"{split} {number}", f"{number}") for number in range(3)])


def request(**data: object) -> CorpusRequest:
    return CorpusRequest(**Data(**data).model_dump())  # type: ignore[arg-type]  # as a recipe gives them


def loaded(**data: object) -> tuple[Corpus, list[str]]:
    messages: list[str] = []
    return load(request(**data), messages.append), messages


def folder(place: Path, **splits: str) -> str:
    place.mkdir()
    for name, lines in splits.items():
        (place / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return str(place)


def records(*numbers: int, nested: bool = False) -> str:
    pairs: list[dict[str, object]] = [{"de": f"Satz {number}", "en": f"sentence {number}"} for number in numbers]
    return "".join(json.dumps({"translation": pair} if nested else pair) + "\n" for pair in pairs)


@pytest.mark.parametrize("nested", [False, True])
def test_a_local_folder_is_loaded_in_both_layouts(tmp_path: Path, nested: bool) -> None:
    splits = {
        "train": records(1, 2, nested=nested),
        "val": records(3, nested=nested),
        "test": records(4, nested=nested),
    }
    corpus, _ = loaded(corpus=folder(tmp_path / "set", **splits))
    assert corpus.train == Pairs(["Satz 1", "Satz 2"], ["sentence 1", "sentence 2"])
    assert (corpus.valid, corpus.test) == (Pairs(["Satz 3"], ["sentence 3"]), Pairs(["Satz 4"], ["sentence 4"]))


def test_weights_are_not_chosen_by_the_test_set(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", train=records(1, 2), valid=records(3, 4, 5), test=records(4, 5, 6))
    with pytest.raises(UserError, match=r"data\.valid: 2 of its 3 pairs are in data\.test"):
        loaded(corpus=place)
    corpus, _ = loaded(
        corpus=folder(tmp_path / "other", train=records(1, 2), valid=records(3, 4), test=records(4, 5, 6))
    )
    assert corpus.valid.source == ["Satz 3", "Satz 4"]


def test_the_languages_can_be_exchanged_and_the_splits_renamed(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", train=records(1, 2), test=records(3))
    corpus, _ = loaded(
        corpus=place, source="en", target="de", train=["train", "test"], valid="train", test="test", overlap="keep"
    )
    assert corpus.train.source == ["sentence 1", "sentence 2", "sentence 3"]
    assert corpus.valid.source == ["sentence 1", "sentence 2"]


def test_training_is_cleaned_and_evaluation_is_not(tmp_path: Path) -> None:
    train, rest = records(1, 1, 2, 3), '{"de": "", "en": ""}\n'
    corpus, messages = loaded(
        corpus=folder(tmp_path / "set", train=train, validation=records(1, 1) + rest, test=records(3, 3) + rest)
    )
    assert corpus.train.source == ["Satz 1", "Satz 2"]
    assert (len(corpus.valid), len(corpus.test or ())) == (3, 3)
    assert corpus.metadata.cleaning == {"read": 4, "empty": 0, "long": 0, "ratio": 0, "overlap": 1, "duplicates": 1}
    assert [line for line in messages if "2 of 4 kept" in line and "1 duplicates" in line]


def test_without_a_validation_split_a_twentieth_of_training_is_held_out(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", train=records(*range(100)))
    corpus, again = loaded(corpus=place)[0], loaded(corpus=place)[0]
    assert (len(corpus.train), len(corpus.valid), corpus.test) == (95, 5, None)
    assert sorted([*corpus.train.source, *corpus.valid.source]) == sorted(f"Satz {number}" for number in range(100))
    assert corpus.valid == again.valid
    assert len(loaded(corpus=place, held_out=2)[0].valid) == 2


def test_metadata_is_json_and_fingerprints_every_split(tmp_path: Path) -> None:
    corpus, _ = loaded(corpus=folder(tmp_path / "set", train=records(1, 2), val=records(3)))
    metadata = json.loads(json.dumps(corpus.metadata.as_json()))
    assert metadata["request"]["held_out"] == 1000
    assert metadata["splits"]["train"] == {"pairs": 2, "sha256": corpus.train.sha256}
    assert metadata["splits"]["valid"]["sha256"] == corpus.valid.sha256
    assert metadata["fallback"] is None
    assert CorpusMetadata.model_validate(metadata) == corpus.metadata


def test_the_test_split_alone_is_that_of_the_corpus(tmp_path: Path) -> None:
    data = request(corpus=folder(tmp_path / "set", train=records(1, 2), test=records(3, 3)))
    test, metadata = load_test(data, print)
    whole = load(data, print)
    assert test == whole.test
    assert metadata.splits == {"test": whole.metadata.splits["test"]}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"source": "fr"}, r"data\.source: the corpus has no column 'fr'; it has de, en"),
        ({"source": "en"}, r"data\.target: expected another language than data\.source"),
        ({"test": "test_2017"}, r"data\.test: .* has no split 'test_2017'; it has train"),
        ({"configuration": "de-en"}, r"data\.configuration: .*de-en"),
        ({"max_words": 1}, r"data\.train: nothing is left to train on\n.* 0 of 2 kept; left out: 0 empty, 2 over-long"),
        ({"corpus": "./missing"}, r"data\.corpus: \./missing: no such folder"),
        ({"corpus": "a/b/c", "offline": "builtin"}, r"data\.corpus: a/b/c: no such folder"),
        ({"corpus": None}, r"data: expected a data set in data\.corpus, or files in data\.train"),
    ],
)
def test_a_request_that_cannot_be_met_names_what_exists(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        loaded(**{"corpus": folder(tmp_path / "set", train=records(1, 2)), **changed})


@pytest.mark.parametrize(
    ("line", "said"), [(b'{"de": "\xff", "en": "x"}', "invalid UTF-8"), (b'{"de": "x', "not JSON")]
)
def test_a_damaged_file_in_a_folder_is_named_with_its_line(tmp_path: Path, line: bytes, said: str) -> None:
    place = Path(folder(tmp_path / "set", train=records(1, 2)))
    with (place / "train.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(UserError, match=rf"train\.jsonl:3: {said}"):
        loaded(corpus=str(place))


def test_replaced_texts_in_a_folder_are_counted_and_reported(tmp_path: Path) -> None:
    place = Path(folder(tmp_path / "set", train=records(1, 2)))
    (place / "validation.jsonl").write_bytes(b'{"de": "\xff", "en": "x"}\n')
    corpus, messages = loaded(corpus=str(place), errors="replace")
    assert corpus.valid.source == ["\ufffd"]
    assert corpus.metadata.replaced == 1
    assert [line for line in messages if "replaced in 1 texts" in line]


def test_a_folder_that_needs_a_script_says_so(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.py").write_text("")
    with pytest.raises(UserError, match="needs a script, and datasets 5 runs none"):
        loaded(corpus=str(tmp_path / "set"))


def test_files_can_replace_a_corpus(tmp_path: Path) -> None:
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.tsv").write_text(f"{name} a\t1\n{name} b\t2\n")
    corpus, _ = loaded(**{name: str(tmp_path / f"{name}.tsv") for name in ("train", "valid", "test")})
    assert (corpus.train.source, corpus.valid.source) == (["train a", "train b"], ["valid a", "valid b"])
    assert corpus.test == Pairs(["test a", "test b"], ["1", "2"])
    assert corpus.metadata.name == "files"


def test_an_empty_split_is_an_error(tmp_path: Path) -> None:
    for name, data in {"train": "a\tb\n" * 2, "valid": ""}.items():
        (tmp_path / f"{name}.tsv").write_text(data)
    with pytest.raises(UserError, match=r"data\.valid: expected sentence pairs, found none"):
        loaded(train=str(tmp_path / "train.tsv"), valid=str(tmp_path / "valid.tsv"))


@pytest.mark.usefixtures("_small_builtin")
def test_the_builtin_corpus_has_its_own_splits() -> None:
    corpus, _ = loaded(corpus="builtin", test="natural")
    assert (corpus.train.source[0], corpus.valid.source[0]) == ("train 0", "valid 0")
    assert corpus.test == Pairs(["natural 0", "natural 1", "natural 2"], ["0", "1", "2"])


@pytest.mark.usefixtures("_small_builtin")
def test_an_unreachable_hub_is_replaced_by_the_builtin_corpus_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise hub.UnreachableError("connection refused")

    monkeypatch.setattr(hub, "load_remote", unreachable)
    corpus, messages = loaded(corpus="owner/name", valid="dev", offline="builtin")
    assert corpus.valid.source[0] == "valid 0"
    assert (corpus.metadata.fallback, corpus.metadata.fallback_reason) == ("builtin", "connection refused")
    assert (
        sum("built-in" in line.lower() or "demonstration" in line or "data.offline" in line for line in messages) == 3
    )
    with pytest.raises(
        RunError, match=r"cannot reach .* 'owner/name' \(connection refused\)\n.*\ndata\.corpus=null data\.train="
    ):
        loaded(corpus="owner/name")


def test_a_pinned_request_asks_for_what_was_loaded() -> None:
    data = request(corpus="owner/name", valid="dev", offline="builtin")
    assert pinned(data, CorpusMetadata(fallback=None, revision="abc")) == replace(data, revision="abc", offline="error")
    assert pinned(data, CorpusMetadata(fallback=None)) == replace(data, offline="error")
    assert pinned(data, CorpusMetadata(fallback="builtin")) == replace(data, corpus="builtin", valid=None)


def test_extra_files_are_added_to_training_and_cleaned_with_it(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", train=records(1, 2), val=records(3), test=records(4))
    (tmp_path / "more.tsv").write_text("Satz 9\tsentence 9\nSatz 4\tsentence 4\n", encoding="utf-8")
    corpus, _ = loaded(corpus=place, extra=[f"{tmp_path}/more.tsv"])
    assert corpus.train.source == ["Satz 1", "Satz 2", "Satz 9"], "the last one stands in the test set"


def test_a_corpus_too_small_to_concatenate_is_refused(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", train=records(1, 2, 5), val=records(3), test=records(4))
    with pytest.raises(
        UserError, match=r"data\.concatenation: 1 validation pairs are too few to concatenate up to 2 of them"
    ):
        loaded(corpus=place, concatenation=2)


WAYS: dict[str, dict[str, object]] = {
    "held out": {"test": "test.tsv"},
    "a split for validation": {"valid": "valid.tsv", "test": "test.tsv"},
    "nothing but training": {"duplicates": "keep", "held_out": 3},
    "several files": {"train": ["train.tsv", "valid.tsv"], "extra": ["test.tsv"], "errors": "replace"},
}


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files with duplicates, blanks, invalid UTF-8 and a source of the test set, in the current folder."""
    monkeypatch.chdir(tmp_path)
    lines = [f"Satz {number % 90}\tsentence {number % 90}\n".encode() for number in range(100)]
    Path("train.tsv").write_bytes(b"".join([*lines, b"\t\n", b"das " * 200 + b"\tthe\n"]))
    Path("valid.tsv").write_bytes(b"".join(line.replace(b"Satz", b"S\xc3\xa4tze") for line in lines[:9]))
    Path("test.tsv").write_bytes(lines[7] + lines[5] * 2 + b"Ende\tend\n")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("way", WAYS)
def test_a_corpus_in_files_is_the_corpus_in_memory(way: str) -> None:
    data: dict[str, object] = {"train": "train.tsv", **WAYS[way]}
    if way == "several files":
        Path("valid.tsv").write_bytes(b"\xff\tx\n")
    corpus, messages = loaded(**data)
    stored, log = loaded(**data, in_memory=10)
    assert corpus.cache is None
    assert stored.cache is not None
    assert (list(stored.train), stored.valid, stored.test) == (list(corpus.train), corpus.valid, corpus.test)
    same = {"request": RequestRecord(), "cache": None}
    assert stored.metadata.model_copy(update=same) == corpus.metadata.model_copy(update=same)
    assert [line for line in log if not line.startswith("writing")] == messages


@pytest.mark.usefixtures("three")
def test_cached_text_is_used_again_as_long_as_it_is_that_of_the_files() -> None:
    data = {"train": "train.tsv", "test": "test.tsv", "in_memory": 10}
    first, log = loaded(**data)
    again, silent = loaded(**{**data, "concatenation": 2, "in_memory": 20})
    assert (sum("writing" in line for line in log), sum("writing" in line for line in silent)) == (1, 0)
    assert again.metadata.cache == first.metadata.cache
    for name in ("train.tsv", "test.tsv"):
        with Path(name).open("a") as file:
            file.write("Baum\ttree\n")
        other, log = loaded(**data)
        assert sum("writing" in line for line in log) == 1
        assert other.metadata.splits != first.metadata.splits


@pytest.mark.usefixtures("three")
def test_a_run_finds_its_corpus_without_the_files_it_was_made_from() -> None:
    data = request(train="train.tsv", test="test.tsv", in_memory=10)
    corpus = load(data, print)
    for name in ("train.tsv", "test.tsv"):
        Path(name).unlink()
    again = load_again(data, corpus.metadata, print)
    assert (list(again.train), again.valid, again.test, again.metadata) == (
        list(corpus.train),
        corpus.valid,
        corpus.test,
        corpus.metadata,
    )


@pytest.mark.usefixtures("three")
def test_an_error_in_the_text_leaves_no_folder_in_the_cache() -> None:
    with Path("train.tsv").open("ab") as file:
        file.write(b"no tab\n")
    with pytest.raises(UserError, match=r"train\.tsv:103: expected 2 columns"):
        loaded(train="train.tsv", in_memory=10)
    assert list(Path("cache").iterdir()) == []


@pytest.mark.usefixtures("three")
def test_progress_is_logged_while_text_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRESS_EVERY", 40)
    _, log = loaded(train="train.tsv", in_memory=10)
    assert [line for line in log if line.startswith("read")] == ["read 40 pairs", "read 80 pairs"]


@pytest.mark.usefixtures("three")
def test_a_corpus_in_files_too_small_to_concatenate_is_refused_though_it_is_cached() -> None:
    loaded(train="train.tsv", in_memory=10, held_out=2)
    with pytest.raises(UserError, match=r"data\.concatenation: 2 validation pairs are too few"):
        loaded(train="train.tsv", in_memory=10, held_out=2, concatenation=3)
