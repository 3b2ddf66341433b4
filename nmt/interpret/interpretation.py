"""One interpretation of one translation, as values for HTML page, terminal and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from nmt.atomic import JsonObject
from nmt.inference.translator import TorchTranslator
from nmt.interpret.heatmap import Heatmap, Margin
from nmt.interpret.methods import METHODS, has_attention
from nmt.interpret.sentence import TranslatedSentence, translate_sentence


@dataclass(frozen=True)
class Interpretation:
    """A translated sentence and the heatmap that one method made of it."""

    run: str
    kind: str
    """A key of `METHODS`."""
    sentence: TranslatedSentence
    heatmap: Heatmap

    def as_json(self) -> JsonObject:
        """Plain values; ``values`` has a list for each row."""
        sentence, heatmap = self.sentence, self.heatmap
        return {
            "run": self.run,
            "kind": self.kind,
            "source": sentence.source,
            "text": sentence.text,
            "log_probability": sentence.hypothesis.log_probability,
            "score": sentence.hypothesis.score,
            "source_pieces": sentence.source_pieces,
            "pieces": sentence.target_pieces,
            "scores": sentence.scores,
            "scale": heatmap.scale,
            "rows": [label.text for label in heatmap.rows],
            "columns": [label.text for label in heatmap.columns],
            "values": heatmap.values,
            **{margin.name: margin.values for margin in _margins(heatmap)},
            "warnings": sentence.diagnostics,
        }


def interpret(translator: TorchTranslator, text: str, kind: str | None = None, run: str = "") -> Interpretation:
    """Translates a sentence and interprets it, by default by attention, or by occlusion if the model has none."""
    sentence = translate_sentence(translator, text)
    chosen = kind or ("attention" if has_attention(sentence) else "occlusion")
    return Interpretation(run, chosen, sentence, METHODS[chosen](sentence))


def _margins(heatmap: Heatmap) -> list[Margin]:
    """The margins without the scores of the pieces, which have a key of their own."""
    return [margin for margin in (heatmap.row_margin, heatmap.column_margin) if margin and margin.name != "log p"]
