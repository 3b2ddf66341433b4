"""Models that give back what they get: one in everything that it says, and one that stands in for those that are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nmt.inference.translator import Translation
from nmt.serving.batcher import Job
from nmt.serving.models import ServedModel
from tools.checks.attacks import ATTACKS


class Drawn(NamedTuple):
    """A drawing in which every row looks at its own column."""

    sentence: str
    labels: list[str]
    kind: str

    def as_json(self) -> dict[str, Any]:
        """As `View` gives it."""
        lists = dict.fromkeys(("source_pieces", "pieces", "rows", "columns", "warnings"), self.labels)
        values = [[float(row == column) for column in range(len(self.labels))] for row in range(len(self.labels))]
        scores = [0.0] * len(self.labels)
        return {
            "kind": self.kind,
            "scale": self.kind,
            "text": self.sentence,
            "source": self.sentence,
            "values": values,
            "scores": scores,
            **lists,
        }


class Echo(ServedModel):
    """A model that gives back what it gets, in everything that it says of it, and is called what one pleases."""

    def __init__(self, name: str, target: str = "en") -> None:
        self.name, self.source, self.target = name, "de", target

    def translation_job(self, sentence: str, alternatives: int, details: bool) -> Job:
        """The sentence itself, everywhere."""
        return Job(self._echo, sentence, 1)

    def interpretation_job(self, sentence: str, kind: str | None) -> Job:
        """A drawing whose every label is the sentence."""
        return Job(lambda texts: [Drawn(text, [text], text) for text in texts], sentence, 1)

    def _echo(self, texts: Sequence[str]) -> list[Translation]:
        return [
            Translation(
                text,
                text,
                0.0,
                pieces(text),
                pieces(text),
                alternatives=[(text + " ", 0.0)],
                warnings=self._warnings(text),
            )
            for text in texts
        ]

    def _warnings(self, text: str) -> list[str]:
        return [text]

    def as_json(self) -> dict[str, Any]:
        """With a title that is an attack too."""
        return {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "title": ATTACKS[0],
            "kinds": ["attention"],
            "notes": [],
        }


class Copying(Echo):
    """A model that looks at each word while it writes it down: stands in for those that are trained."""

    def interpretation_job(self, sentence: str, kind: str | None) -> Job:
        """Attention to the same word."""
        return Job(lambda texts: [Drawn(text, pieces(text), "attention") for text in texts], sentence, 1)

    def _warnings(self, text: str) -> list[str]:
        return []

    def as_json(self) -> dict[str, Any]:
        """With a title like any other."""
        return {**super().as_json(), "title": "a copy"}


def pieces(text: str) -> list[str]:
    """Every word is one."""
    return ["▁" + word for word in text.split()]
