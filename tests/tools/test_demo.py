"""`make demo` says before what its time allows, and after what its score means."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nmt.recipe import reading
from tools import demo


@pytest.mark.parametrize(
    ("bleu", "words"),
    [(0.1, "far too little training"), (13.1, "begun to translate"), (50.5, "most sentences"), (100.0, "well")],
)
def test_every_score_has_a_meaning_and_says_that_it_is_not_of_real_text(bleu: float, words: str) -> None:
    said = demo.meaning(bleu)
    assert words in said
    assert "nothing about real text" in said


def test_the_expectation_says_what_updates_reach_and_how_to_have_more() -> None:
    said = demo.expectation(2)
    assert "for 2 minutes" in said
    assert all(f"{updates:,}" in said for updates in demo.REACHED)
    assert said.endswith("make demo MINUTES=4")


def test_the_command_of_the_makefile_trains_shows_and_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands are not run; a shipped model stands in for the result."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command[3:])
        return subprocess.CompletedProcess(command, 0)

    from nmt.runs import demo as shipped

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(demo, "RUN", shipped.ATTENTION)
    monkeypatch.setattr("sys.argv", ["demo", "--minutes", "3"])
    demo.main()
    train, translate, info = commands
    recipe = reading.read(Path(__file__).parents[2] / train[1], [word for word in train if "=" in word])
    assert (recipe.training.minutes, recipe.training.updates, recipe.name) == (3, None, "demo")
    assert translate.count("--text") == len(demo.SENTENCES)
    assert info[-1] == "--scores"
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    assert "-m tools.demo --minutes $(MINUTES)" in makefile
