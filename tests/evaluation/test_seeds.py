from __future__ import annotations

from pathlib import Path

import pytest

from nmt.evaluation import seeds
from tests.evaluation.runs import make_run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(*paths: str) -> list[str]:
    """Names of the systems of three runs that differ in the seed alone, and one with another recipe."""
    runs = [make_run(Path(path), seed=number) for number, path in enumerate(paths)]
    return list(seeds.systems(runs).values())


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (("runs/de-en-seed1", "runs/de-en-seed2"), "de-en"),
        (("runs/de-en_s1", "runs/de-en_s10"), "de-en"),
        (("runs/width64-1", "runs/width64-2"), "width64"),
        (("runs/lens-1", "runs/lens-2"), "lens"),
        (("runs/a", "runs/b"), "recipe"),
        (("runs/alone7",), "alone7"),
    ],
)
def test_a_system_is_called_what_its_runs_names_have_in_common(paths: tuple[str, ...], name: str) -> None:
    assert set(names(*paths)) == {name}


def test_runs_that_differ_in_more_than_the_seed_are_different_systems() -> None:
    runs = [
        make_run(Path("runs/a-1"), seed=1),
        make_run(Path("runs/a-2"), seed=2),
        make_run(Path("runs/b-1"), seed=1, recipe="model: {dropout: 0.3}"),
    ]
    assert list(seeds.systems(runs).values()) == ["a", "a", "b-1"]


def test_where_and_how_a_run_was_trained_and_how_it_searches_is_no_difference() -> None:
    first = make_run(Path("runs/a-1"))
    other = make_run(Path("runs/a-2"), seed=2, recipe="name: other\nsearch: {beam: 9}")
    assert seeds.variety(first) == seeds.variety(other)
    threads = Path("runs/a-2/recipe.yaml").read_text().replace("seed: 2", "seed: 2, threads: 3, device: cuda")
    Path("runs/a-2/recipe.yaml").write_text(threads)
    assert seeds.variety(first) == seeds.variety(type(other)(other.path))


def test_the_same_seed_twice_is_not_counted_as_two_seeds() -> None:
    assert len(set(seeds.systems([make_run(Path("runs/a")), make_run(Path("runs/b"))]).values())) == 2


def test_systems_with_the_same_name_are_called_by_their_paths() -> None:
    one, other = make_run(Path("x/a")), make_run(Path("y/a"), recipe="model: {dropout: 0.3}")
    assert list(seeds.systems([one, other]).values()) == ["x/a", "y/a"]
    three = [make_run(Path(f"z/b-{seed}"), seed=seed) for seed in (1, 2)]
    assert list(seeds.systems([*three, make_run(Path("z/b"), recipe="model: {dropout: 0.3}")]).values()) == [
        "z/b-1",
        "z/b-1",
        "z/b",
    ]
