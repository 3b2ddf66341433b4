from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings, strategies as st

from nmt.errors import UserError
from nmt.models.attention import ATTENTIONS
from nmt.recipe.reading import differences, dump, read, schema
from nmt.recipe.types import Recipe, Recurrent, Transformer
from nmt.recipe.validation import converted

SHIPPED = [
    path
    for path in sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
    if "\nstudy:" not in path.read_text("utf8")
]
SOUND = "data: {corpus: builtin}\ntraining: {updates: 5}\n"

Write: TypeAlias = Callable[[str | bytes], Path]
Read: TypeAlias = Callable[..., Recipe]
Problems: TypeAlias = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `a.yaml`, a path short enough to read in the expected lines."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes) -> Path:
        Path("a.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return Path("a.yaml")

    return write


@pytest.fixture
def recipe(write: Write) -> Read:
    return lambda text, *overrides: read(write(text), overrides)


@pytest.fixture
def problems(recipe: Read) -> Problems:
    def problems(text: str | bytes, *overrides: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            recipe(text, *overrides)
        return str(caught.value).split("\n")

    return problems


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_valid_limited_by_updates_and_survives_its_dump(path: Path, tmp_path: Path) -> None:
    recipe = read(path)
    (tmp_path / "resolved.yaml").write_text(dump(recipe), encoding="utf-8")
    assert read(tmp_path / "resolved.yaml") == recipe
    assert recipe.name == path.stem
    assert recipe.training.updates
    assert recipe.training.minutes is None
    assert "\n# Scored: " in path.read_text(encoding="utf-8").split("\n\n")[0]


def test_all_nine_recipes_are_shipped() -> None:
    names = "builtin builtin-thought-vector builtin-transformer de-en de-en-thought-vector de-en-transformer "
    names += "en-de opus100-de-en wmt14-en-de"
    assert {path.stem for path in SHIPPED} >= set(names.split())


def test_scalars_follow_yaml_1_2(recipe: Read) -> None:
    data = recipe("data: {corpus: a/b, source: no, target: yes, revision: 2001-01-01}\ntraining: {updates: 1}").data
    assert (data.source, data.target, data.revision) == ("no", "yes", "2001-01-01")
    training = recipe(
        "data: {corpus: a/b}\ntraining: {updates: 0x10, learning_rate: 1e-4, clip: ~, minutes: 3}"
    ).training
    assert (training.updates, training.learning_rate, training.clip, training.minutes) == (16, 1e-4, None, 3.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "training: {updates: two}",
            "a.yaml:3: training.updates: found 'two', expected an integer of at least 1 and at most 1000000000 or null",
        ),
        (
            "training: {updates: 1.0}",
            "a.yaml:3: training.updates: found 1.0, expected an integer of at least 1 and at most 1000000000 or null",
        ),
        (
            "training: {epochs: true}",
            "a.yaml:3: training.epochs: found true, expected an integer of at least 1 and at most 1000000 or null",
        ),
        (
            "training: {minutes: .inf}",
            "a.yaml:3: training.minutes: found inf, expected a number above 0 and at most 1000000 or null",
        ),
        (
            "training: {updates: 9999999999999999999}",
            "a.yaml:3: training.updates: found 1e+19, expected an integer of at least 1 and at most 1000000000 or null",
        ),
        (
            "training: {betas: [0.9]}",
            "a.yaml:3: training.betas: found [0.9], expected a list of 2, each a number of at least 0 and below 1",
        ),
        ("training: {dropout: 0.1}", "a.yaml:3: training.dropout: not a key of training; its keys are seed, updates, "),
        ("training: {updtes: 1}", "a.yaml:3: training.updtes: not a key of training; did you mean updates?"),
        (
            "training:\n  pack_growth: 2",
            "a.yaml:4: training.pack_growth: renamed; use training.concatenation_growth",
        ),
        ("training: 5", "a.yaml:3: training: found 5, expected a mapping with keys among seed, updates, "),
        (
            "vocabulary: {from_run: runs/a}",
            "a.yaml:3: vocabulary.from_run: not a key of vocabulary; did you mean from?",
        ),
        (
            "vocabulary: {from: 5}",
            "a.yaml:3: vocabulary.from: found 5, expected text or null "
            "(text that looks like something else needs quotes)",
        ),
        (
            "vocabulary:\n  type: wordpiece",
            "a.yaml:4: vocabulary.type: found 'wordpiece', expected one of unigram, bpe",
        ),
        ("seach: {beam: 1}", "a.yaml:3: seach: not a key of a recipe; did you mean search?"),
        ("model: {family: lstm}", "a.yaml:3: model.family: found 'lstm', expected one of recurrent, transformer"),
        (
            "model: {family: [recurrent]}",
            "a.yaml:3: model.family: found ['recurrent'], expected one of recurrent, transformer",
        ),
        (
            "model:\n  family: transformer\n  attention: dot",
            "a.yaml:5: model.attention: not a key of model in family transformer "
            "(family recurrent has it); its keys are family, width, ",
        ),
        (
            "model: {reader: fixed}",
            "a.yaml:3: model.reader: renamed; use model.attention: none and model.thought_vector: every_step",
        ),
        (
            "model: {reader: none}",
            "a.yaml:3: model.reader: renamed; use model.attention: none and model.thought_vector: initial_state",
        ),
        ("model: {reader: dot}", "a.yaml:3: model.reader: renamed; use model.attention"),
        ("model: {reader: [dot]}", "a.yaml:3: model.reader: renamed; use model.attention"),
        ("model: {slot: 9}", "a.yaml:3: model.slot: renamed; use model.bottleneck"),
        (
            "model: {attention: 64}",
            "a.yaml:3: model.attention: the width of attention is now model.attention_size",
        ),
        (
            "model: {encoder: {hiden: 3}}",
            "a.yaml:3: model.encoder.hiden: not a key of model.encoder in family recurrent; did you mean hidden?",
        ),
        ("training: {seed: 1, seed: 2}", "a.yaml:3: training.seed: given twice, first at a.yaml:3"),
        (
            "training: &limits {seed: 1}",
            "a.yaml:3: training: found the anchor &limits: anchors are not allowed in recipes",
        ),
        (
            "training: *limits",
            "a.yaml:3: training: found the alias *limits, expected the value itself: "
            "aliases are not allowed in recipes",
        ),
        (
            "training: {seed: !!int 1}",
            "a.yaml:3: training.seed: found the tag tag:yaml.org,2002:int: tags are not allowed in recipes",
        ),
        ("? [a]\n: 1", "a.yaml:3: found a list, a mapping or an alias as key, expected a name"),
        ('name: "a\\ud800"', "a.yaml:3: name: found 'a\\ud800', expected one line without control characters"),
    ],
)
def test_a_value_that_a_key_cannot_take_is_named_with_its_line_and_what_is_expected(
    problems: Problems, text: str, expected: str
) -> None:
    lines = problems(f"data:\n  corpus: builtin\n{text}\n")
    assert any(line.startswith(expected) for line in lines), lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training: {updates: 1}", "a.yaml: data.train: found null, expected files to train on, or a data.corpus"),
        (
            "data: {corpus: builtin}\ntraining: {seed: 2}",
            "a.yaml:2: training.updates: found null, expected a limit here, in training.epochs or ",
        ),
        (
            "data:\n  train: train",
            "a.yaml:2: data.train: found 'train', expected SOURCE,TARGET or .tsv, .csv, .tmx, .jsonl, .parquet files, "
            "as data.corpus is null",
        ),
        ("data: {train: []}", "a.yaml:1: data.train: found [], expected SOURCE,TARGET or "),
        (
            "data: {corpus: a/b, test: x.tsv.gz}",
            "a.yaml:1: data.test: found 'x.tsv.gz', expected the name of a split of data.corpus; to use files set",
        ),
        (
            "data: {corpus: a/b, train: 'x.de,x.en'}",
            "a.yaml:1: data.train: found 'x.de,x.en', expected the name of a split of data.corpus; ",
        ),
        (
            "data: {corpus: builtin, revision: v1}",
            "a.yaml:1: data.revision: found 'v1', expected null, as data.corpus names no data set of the Hub",
        ),
        ("data: {target: de}", "a.yaml:1: data.target: found 'de', expected another language than data.source"),
        (
            "vocabulary: {type: bpe, sampling: 0.1}",
            "a.yaml:1: vocabulary.sampling: found 0.1, expected 0, as only vocabulary.type unigram can sample",
        ),
        (
            "model: {bottleneck: 9}",
            "a.yaml:1: model.bottleneck: found 9, expected null, as only attention none has a thought vector",
        ),
        (
            "model: {thought_vector: initial_state}",
            "a.yaml:1: model.thought_vector: found 'initial_state', expected every_step, as only attention none has a",
        ),
        (
            "model: {family: transformer, heads: 3}",
            "a.yaml:1: model.heads: found 3, expected a divisor of model.width, 256",
        ),
        ("name: .hidden", "a.yaml:1: name: found '.hidden', expected at most 100 of "),
        ("name: ../a", "a.yaml:1: name: found '../a', expected at most 100 of "),
    ],
)
def test_keys_that_do_not_fit_each_other_are_named(problems: Problems, text: str, expected: str) -> None:
    lines = problems(text)
    assert any(line.startswith(expected) for line in lines), lines


def test_problems_of_all_kinds_are_reported_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    lines = problems(
        "data: {target: de, corpus: builtin}\nseach: {}\ntraining:\n  seed: 1\n  seed: 2\n  clip: soft\n",
        "search.beam=0",
        "training",
    )
    starts = [
        "a.yaml:1: data.target",
        "a.yaml:2: seach",
        "a.yaml:5: training.seed",
        "a.yaml:6: training.clip",
        "override search.beam=0",
        "override training",
    ]
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts


def test_after_twenty_problems_the_rest_is_counted(problems: Problems) -> None:
    lines = problems(SOUND + "\n".join(f"unknown{number}: 1" for number in range(50)))
    assert len(lines) == 21
    assert lines[-1] == "and 30 more"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "a.yaml: found nothing, expected a recipe: "),
        (b"# only words\n", "a.yaml: found nothing, expected a recipe: "),
        (b"- 1\n", "a.yaml: found [1], expected a recipe: "),
        (b"a: 1\nb: [", "a.yaml:2: not YAML: "),
        (b"a: 1\nb: \x07", "a.yaml:2: not YAML: the character U+0007 is not allowed"),
        (b'a: "\\UFFFFFFFF"', "a.yaml: not YAML: "),
        (b"a: 1\n---\nb: 1\n", "a.yaml:2: not YAML: a second document begins here"),
        (b"a: " + b"[" * 5000, "a.yaml:1: not YAML: nested deeper than 8 levels"),
        (b"a: 1\nb: \xff\n", "a.yaml:2: found bytes that are not UTF-8, "),
        (b"#" * 1_000_001, "a.yaml: found more than 1000000 bytes, expected a recipe"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_file_that_holds_no_recipe_is_one_problem(problems: Problems, content: bytes, expected: str) -> None:
    (line,) = problems(content)
    assert line.startswith(expected)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none.yaml", "no such recipe"),
        (".", "cannot read the recipe: Is a directory"),
        ("a\0b", "cannot read the recipe: .*null"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(path: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        read(Path(path))


def test_the_yaml_1_1_directive_cannot_turn_no_into_false(problems: Problems) -> None:
    assert "a.yaml:2: directives (%) are not allowed in recipes" in problems("%YAML 1.1\n---\n" + SOUND)


def test_overrides_apply_in_order_and_a_mapping_replaces_only_its_keys(recipe: Read) -> None:
    result = recipe(
        SOUND,
        "training.updates=7",
        "training={epochs: 3, betas: [0.8, 0.9]}",
        "training.epochs=4",
        "model.encoder={layers: 2}",
    )
    assert (result.training.updates, result.training.epochs, result.training.betas) == (7, 4, (0.8, 0.9))
    assert isinstance(result.model, Recurrent)
    assert (result.model.encoder.layers, result.model.encoder.hidden) == (2, Recurrent().encoder.hidden)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a.de,a.en", "a.de,a.en"),
        ("[a.tsv,b.tsv]", ["a.tsv", "b.tsv"]),
        ("['a.de,a.en', b.tsv]", ["a.de,a.en", "b.tsv"]),
        ("C: d.tsv", "C: d.tsv"),
        ("[1] a.tsv", "[1] a.tsv"),
        ("&a *b.tsv", "&a *b.tsv"),
        ("'a.tsv'", "a.tsv"),
    ],
)
def test_an_override_is_text_as_it_is_typed_unless_it_is_a_quoted_or_bracketed_value(
    recipe: Read, written: str, value: object
) -> None:
    assert recipe(SOUND, "data.corpus=null", f"data.train={written}", "data.source=no").data.train == value


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (
            "training.updates=abc",
            "override training.updates=abc: training.updates: found 'abc', expected an integer of at least 1 "
            "and at most 1000000000 or null",
        ),
        (
            "training.updtes=1",
            "override training.updtes=1: training.updtes: not a key of training; did you mean updates?",
        ),
        ("training", "override training: expected KEY=VALUE, such as training.updates=500"),
        (".updates=1", "override .updates=1: expected KEY=VALUE, such as training.updates=500"),
        (
            "data.corpus.x=1",
            "override data.corpus.x=1: data.corpus: found 'builtin' at a.yaml:1, which has no keys to set",
        ),
        (
            "training=[&a 1]",
            "override training=[&a 1]: training: found the anchor &a: anchors are not allowed in recipes",
        ),
        (
            "data.source=\udcff",
            "override 'data.source=\\udcff': data.source: found '\\udcff', "
            "expected one line without control characters",
        ),
        ("a.a.a.a.a.a.a.a.a=1", "override a.a.a.a.a.a.a.a.a=1: expected KEY=VALUE, such as training.updates=500"),
    ],
)
def test_a_wrong_override_is_named_as_it_was_typed(problems: Problems, override: str, expected: str) -> None:
    assert expected in problems(SOUND, override)


def test_another_family_by_override_lists_the_keys_it_does_not_have_in_one_line(problems: Problems) -> None:
    (line,) = problems(
        SOUND + "model:\n  cell: gru\n  encoder:\n    hidden: 9\n  dropout: 0.1\n", "model.family=transformer"
    )
    assert line.startswith(
        "override model.family=transformer: model.family: "
        "family transformer has no cell, encoder.hidden (a.yaml:4, a.yaml:6): "
    )


def test_another_family_by_override_is_taken_where_the_file_sets_nothing_against_it(recipe: Read) -> None:
    assert isinstance(
        recipe(SOUND + "model: {dropout: 0.1}", "model.family=transformer", "model.heads=2").model, Transformer
    )


def test_differences_are_dotted_keys_with_both_values(recipe: Read) -> None:
    one, other = recipe(SOUND), recipe(SOUND, "training.updates=6", "vocabulary.from=runs/a", "model.encoder.layers=2")
    assert differences(one, other) == {
        "training.updates": (5, 6),
        "vocabulary.from": (None, "runs/a"),
        "model.encoder.layers": (1, 2),
    }
    assert differences(one, one) == {}


def test_differences_of_families_show_keys_of_either_with_none_for_the_other(recipe: Read) -> None:
    found = differences(recipe(SOUND), recipe(SOUND, "model.family=transformer"))
    assert found["model.attention"] == ("bahdanau", None)
    assert found["model.heads"] == (None, 4)


def test_the_schema_has_the_documentation_of_the_fields() -> None:
    sections = json.loads(schema())["$defs"]
    assert sections["Training"]["properties"]["learning_rate"]["description"] == "Peak learning rate of AdamW."
    assert "from" in sections["Vocabulary"]["properties"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def known_keys() -> list[str]:
    sections = json.loads(schema())
    return [*sections["properties"], *(key for section in sections["$defs"].values() for key in section["properties"])]


keys = st.sampled_from([*known_keys(), "reader", "pack", "slot"]) | st.text(max_size=5)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["recurrent", "transformer", "builtin", "a,b"])
)
structures = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=20
)
snippets = st.lists(
    st.sampled_from(
        [
            "data",
            "model",
            "family",
            ": ",
            "\n",
            "  ",
            "- ",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a ",
            "*a",
            "!!str ",
            "---\n",
            '"',
            "#",
            "1",
            "\t",
        ]
    )
)
texts = st.just(SOUND) | st.text(max_size=60) | structures.map(json.dumps) | snippets.map("".join)
overrides = st.text(max_size=20) | st.tuples(st.lists(keys, max_size=4).map(".".join), texts).map("=".join)


@settings(max_examples=150, deadline=None)
@given(text=texts, given_overrides=st.lists(overrides, max_size=3))
def test_any_file_and_any_override_give_a_recipe_or_problems_with_their_place(
    folder: Path, text: str, given_overrides: list[str]
) -> None:
    path = folder / "a.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert isinstance(read(path, given_overrides), Recipe)
    except UserError as error:
        for line in str(error).split("\n"):
            assert line.startswith((str(path), "override ", "and "))


names = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8)
lookalikes = st.from_regex(r"[-+]?[0-9_.:exoE~-]{1,8}", fullmatch=True) | st.sampled_from(
    ["null", "true", "no", "<<", "=", "2001-01-01", ".nan", "?", "- a", "a: b"]
)


@settings(max_examples=50, deadline=None)
@given(name=names | lookalikes, number=st.floats(min_value=0, exclude_min=True, max_value=10**6))
def test_a_dumped_recipe_is_read_back_the_same(folder: Path, name: str, number: float) -> None:
    plain = read(SHIPPED[0], [f"training.minutes={number!r}"])
    recipe = plain.model_copy(update={"data": plain.data.model_copy(update={"corpus": name})})
    (folder / "b.yaml").write_text(dump(recipe), encoding="utf-8")
    assert read(folder / "b.yaml") == recipe


def test_a_maximum_is_part_of_what_is_expected(problems: Problems) -> None:
    assert problems(SOUND, "search.beam=1001") == [
        "override search.beam=1001: search.beam: found 1001, expected an integer of at least 1 and at most 1000"
    ]


@pytest.mark.parametrize(
    "override",
    [
        "vocabulary.size=2147483648",
        "model.embedding=1000000000000",
        "model.encoder.hidden=999999999999999999",
        "training.updates=999999999999999999",
        "training.validate_every=999999999999999999",
        "training.accumulate=1000000000",
        "training.batch_tokens=1048577",
        "training.threads=20000",
        "training.learning_rate=1e308",
    ],
)
def test_a_number_that_no_machine_can_do_is_refused_with_the_largest_one(problems: Problems, override: str) -> None:
    (problem,) = problems(SOUND, override)
    assert problem.startswith(f"override {override}: {override.partition('=')[0]}: found ")
    assert "at most" in problem


def test_the_tokens_of_an_update_are_bounded_by_batches_and_their_size(problems: Problems) -> None:
    assert problems(SOUND, "training.batch_tokens=65536", "training.accumulate=257") == [
        "override training.accumulate=257: training.accumulate: found 257, expected at most 16,777,216 tokens in an "
        "update, training.batch_tokens in each batch"
    ]


@pytest.mark.parametrize(
    ("overrides", "offline"),
    [
        ((), "builtin"),
        (("training.updates=9",), "builtin"),
        (("data.corpus=owner/other",), "error"),
        (("data={corpus: owner/other}",), "error"),
        (("data.corpus=owner/other", "data.offline=builtin"), "builtin"),
        (("data={corpus: owner/other, offline: builtin}",), "builtin"),
    ],
)
def test_a_corpus_named_in_an_override_is_not_replaced_unless_an_override_allows_it(
    recipe: Read, overrides: tuple[str, ...], offline: str
) -> None:
    text = "data: {corpus: owner/name, offline: builtin}\ntraining: {updates: 5}\n"
    assert recipe(text, *overrides).data.offline == offline


def test_an_override_of_an_old_key_is_answered_with_the_new_one(problems: Problems) -> None:
    assert problems(SOUND, "data.pack=2") == ["override data.pack=2: data.pack: renamed; use data.concatenation"]


def test_an_old_recipe_is_read_once_it_is_converted(recipe: Read) -> None:
    old = {
        "data": {"corpus": "builtin", "prepared": "there", "pack": 3},
        "training": {"updates": 5, "pack_growth": 2},
        "model": {"reader": "none", "attention": 7, "slot": 9},
    }
    new = recipe(json.dumps(converted(old)))
    assert (new.data.cache, new.data.concatenation, new.training.concatenation_growth) == ("there", 3, 2)
    assert isinstance(new.model, Recurrent)
    assert (new.model.attention, new.model.thought_vector) == ("none", "initial_state")
    assert (new.model.attention_size, new.model.bottleneck) == (7, 9)
    assert converted(converted(old)) == converted(old)


PLUGIN = """
from collections.abc import Iterator
from typing import Literal
from nmt.recipe.types import Section

class Toy(Section):
    family: Literal["toy"] = "toy"
    size: int = 3

    def conflicts(self):
        if self.size == 4:
            yield ("size",), "another number"

class Model:
    section = Toy
"""
ENTRY_POINTS = "[nmt.families]\ntoy = toy_family:Model\n[nmt.attentions]\nnearest = toy_family:Model\n"
ASKED = """
import sys
from pathlib import Path
from nmt.recipe.reading import read
try:
    print(read(Path("a.yaml"), sys.argv[1:]).model)
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model.size=5", "family='toy' size=5"),
        ("model.size=4", "override model.size=4: model.size: found 4, expected another number"),
        (
            "model.width=4",
            "override model.width=4: model.width: not a key of model in family toy (family transformer has it)",
        ),
        ("model.family=lstm", "model.family: found 'lstm', expected one of recurrent, transformer, toy"),
        ("model={family: recurrent, attention: nearest}", "attention='nearest'"),
        ("model={family: recurrent, attention: far}", f"expected one of {', '.join(ATTENTIONS)}, none, nearest"),
    ],
)
def test_a_family_and_an_attention_of_another_package_have_their_keys_in_recipes(
    write: Write, tmp_path: Path, override: str, expected: str
) -> None:
    write(SOUND + "model: {family: toy}\n")
    (tmp_path / "toy_family.py").write_text(PLUGIN)
    (tmp_path / "toy_family-1.dist-info").mkdir()
    (tmp_path / "toy_family-1.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-c", ASKED, override]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True)
    assert expected in done.stdout
