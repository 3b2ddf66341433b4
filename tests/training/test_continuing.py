"""Going on with a run: higher limits and more text; what is refused leaves nothing behind and changes nothing."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.errors import RunError, UserError
from nmt.runs.run_folder import Run
from tests.training.test_resume import checkpoint, result

if TYPE_CHECKING:
    from tests.training.conftest import Toy

MORE = ("data.extra=[more.tsv]", "training.updates=6")


def contents(folder: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.fixture
def more(toy: Toy) -> Toy:
    """The toy, with further pairs in a file."""
    pairs = (f"{word} Haus {word}\t{word} house {word}\n" for word in ("rot", "grün", "groß", "klein"))
    Path("more.tsv").write_text("".join(pairs), "utf8")
    return toy


def test_a_run_goes_on_with_more_text_in_its_own_vocabulary(more: Toy) -> None:
    more.train("run")
    before = Run(Path("run"))
    splits, vocabulary, created = before.metadata.corpus.splits, before.vocabularies[0].model, before.metadata.created
    assert more.train("run", *MORE) == 0
    after = Run(Path("run"))
    assert after.metadata.corpus.splits["train"].pairs == splits["train"].pairs + 4
    assert after.metadata.corpus.splits["valid"] == splits["valid"]
    assert (after.vocabularies[0].model, after.metadata.created) == (vocabulary, created)
    assert after.metadata.lengths != before.metadata.lengths
    assert (after.recipe.data.extra, checkpoint("run", 6).exists()) == (["more.tsv"], True)


def test_a_run_with_more_text_that_is_stopped_comes_to_the_same_end(more: Toy) -> None:
    for name in ("whole", "parts"):
        more.train(name)
    more.train("whole", *MORE)
    assert more.signalled(signal.SIGTERM, 5, "parts", *MORE) == 143
    more.train("parts", *MORE)
    assert result("parts", 6) == result("whole", 6)


def test_a_kill_while_text_is_added_is_recovered_by_the_same_command(
    more: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whole", "killed"):
        more.train(name)
    for broken in ("nmt.atomic.write_json", "nmt.atomic.write_file"):
        with monkeypatch.context() as patch:
            patch.setattr(broken, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                more.train("killed", *MORE)
    more.train("killed", *MORE)
    more.train("whole", *MORE)
    assert result("killed", 6) == result("whole", 6)


def test_more_text_for_a_finished_run_needs_a_higher_limit(more: Toy) -> None:
    more.train("run")
    before = contents("run")
    with pytest.raises(UserError, match="finished after 4 updates; to train on more text raise a limit, too"):
        more.train("run", MORE[0])
    assert contents("run") == before


def test_more_text_that_would_change_the_held_out_pairs_is_refused(more: Toy) -> None:
    more.train("run", "data.valid=null")
    before = contents("run")
    with pytest.raises(UserError, match=r"data\.extra: the valid split of run would be another one"):
        more.train("run", "data.valid=null", *MORE)
    assert contents("run") == before


@pytest.mark.parametrize(
    "override",
    [
        "training.init_from=base",
        "data.train=absent.tsv",
        "training.batch_tokens=2",
        "training.device=mps",
        "vocabulary.size=9999",
    ],
)
def test_a_start_that_is_refused_leaves_nothing_behind(toy: Toy, override: str) -> None:
    toy.train("base", "model.embedding=4", "training.updates=1")
    before = contents(".")
    with pytest.raises((UserError, RunError)):
        toy.train("run", override)
    assert not Path("run").exists()
    assert contents(".") == before


def test_a_run_bears_the_name_of_its_folder(toy: Toy) -> None:
    toy.train("mine", "training.updates=1")
    toy.train(".odd", "training.updates=1")
    assert (Run(Path("mine")).recipe.name, Run(Path(".odd")).recipe.name) == ("mine", "toy")
