"""Models that echo their input: one in every field of its answers, and one that resembles a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nmt.atomic import JsonObject
from nmt.inference.offsets import piece_offsets
from nmt.inference.translator import Translation
from nmt.serving.batcher import Cancelled, Job
from nmt.serving.models import ServedModel
from tools.checks.attacks import ATTACKS


class EchoedInterpretation(NamedTuple):
    """An interpretation whose heatmap is the identity."""

    sentence: str
    labels: list[str]
    kind: str

    def as_json(self) -> JsonObject:
        """As `Interpretation.as_json`."""
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
    """A model of any name that echoes its input in every field of its answers."""

    def __init__(self, name: str, target: str = "en") -> None:
        self.name, self.source, self.target = name, "de", target

    def tokens(self, sentence: str) -> int:
        """One token for a sentence."""
        return 1

    def translation_job(self, sentence: str, alternatives: int, details: bool) -> Job:
        """Answers with the sentence in every field."""
        return Job(self._echo, sentence, 1)

    def interpretation_job(self, sentence: str, kind: str | None) -> Job:
        """Answers with an interpretation whose labels are the sentence."""
        return Job(lambda texts, cancelled: [EchoedInterpretation(text, [text], text) for text in texts], sentence, 1)

    def _echo(self, texts: Sequence[str], cancelled: Cancelled) -> list[Translation]:
        return [
            Translation(
                text,
                text,
                0.0,
                pieces(text),
                pieces(text),
                alternatives=[(text + " ", 0.0)],
                source_spans=piece_offsets(text, pieces(text)),
                spans=piece_offsets(text, pieces(text)),
                warnings=self._warnings(text),
            )
            for text in texts
        ]

    def _warnings(self, text: str) -> list[str]:
        return [text]

    def as_json(self) -> JsonObject:
        """With an attack as title."""
        return {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "title": ATTACKS[0],
            "kinds": ["attention"],
            "notes": [],
        }


class Copying(Echo):
    """A model that copies words and attends to each: resembles a trained model."""

    def interpretation_job(self, sentence: str, kind: str | None) -> Job:
        """Answers with attention to the copied word."""
        return Job(
            lambda texts, cancelled: [EchoedInterpretation(text, pieces(text), "attention") for text in texts],
            sentence,
            1,
        )

    def _warnings(self, text: str) -> list[str]:
        return []

    def as_json(self) -> JsonObject:
        """With an ordinary title."""
        return {**super().as_json(), "title": "a copy"}


def pieces(text: str) -> list[str]:
    """One piece for each word."""
    return ["▁" + word for word in text.split()]
