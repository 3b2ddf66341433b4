"""One way of looking at one translation, and its plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nmt.inference.translator import Translator
from nmt.interpret import attention, gates, occlusion
from nmt.interpret.matrix import Margin, Matrix
from nmt.interpret.subject import Subject, translated

KINDS: dict[str, Callable[[Subject], Matrix]] = {
    "attention": attention.matrix,
    "occlusion": occlusion.matrix,
    "gates": gates.matrix,
}


@dataclass(frozen=True)
class View:
    """A matrix and the translation that it is of."""

    run: str
    kind: str
    subject: Subject
    matrix: Matrix

    def as_json(self) -> dict[str, Any]:
        """Plain values; ``values`` is a list for each row."""
        subject, matrix = self.subject, self.matrix
        return {
            "run": self.run,
            "kind": self.kind,
            "source": subject.source,
            "text": subject.text,
            "log_probability": subject.hypothesis.log_probability,
            "score": subject.hypothesis.score,
            "source_pieces": subject.source_pieces,
            "pieces": subject.target_pieces,
            "scores": subject.scores,
            "scale": matrix.scale,
            "rows": [label.text for label in matrix.rows],
            "columns": [label.text for label in matrix.columns],
            "values": matrix.values,
            **{margin.name: margin.values for margin in _margins(matrix)},
            "warnings": subject.warnings,
        }


def look(translator: Translator, text: str, kind: str | None = None, run: str = "") -> View:
    """Translates a sentence and looks at it; by default at the attention, and where there is none at what occlusion does."""
    subject = translated(translator, text)
    chosen = kind or ("attention" if attention.present(subject) else "occlusion")
    return View(run, chosen, subject, KINDS[chosen](subject))


def _margins(matrix: Matrix) -> list[Margin]:
    """Those that are not the scores of the pieces, which have a place of their own."""
    return [margin for margin in (matrix.beside, matrix.below) if margin and margin.name != "log p"]
