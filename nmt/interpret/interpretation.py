"""Interpretation of one translation: attention weights, occlusion of source pieces, gates of the encoder.

Occlusion removes one source piece at a time and measures the fall in log-probability, in nats, under teacher forcing:

    value_ij = log p(y_i | y_<i, x) - log p(y_i | y_<i, x without x_j)

It works for every model (erasure: Li, Monroe and Jurafsky 2016, arXiv:1612.08220; theirs is relative to log p, ours
absolute, so that values add up to that of the translation). The piece is removed rather than replaced by the unknown
piece: the vocabulary falls back on bytes, so training never used that piece and its embedding is still noise. Pieces
after a removed one move up by one position, which is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.inference.translator import TorchTranslator
from nmt.interpret.heatmap import Heatmap, Label, Margin, labels
from nmt.interpret.sentence import TranslatedSentence, target_log_probabilities, translate_sentence

SMALLEST_MAXIMUM, LARGEST_MAXIMUM = 0.05, 5.0
"""Bounds of an occlusion heatmap's maximum, in nats. The lower keeps rounding from looking like a pattern where nothing
matters; beyond the upper a piece is 150 times less probable, and a larger maximum would only make all other cells
pale."""


def has_attention(sentence: TranslatedSentence) -> bool:
    """Whether memory has a slot for every source piece; a thought vector is one slot for all of them."""
    weights = sentence.hypothesis.weights
    return weights is not None and weights.shape[1] == len(sentence.source_tokens)


def attention(sentence: TranslatedSentence) -> Heatmap:
    """The weights of the slots, ``(target, source)``; each row sums to 1."""
    weights = sentence.hypothesis.weights
    if weights is None or not has_attention(sentence):
        raise UserError("this run has a thought vector and so no attention; use --kind occlusion")
    scope = sentence.interpreted.attention_scope if sentence.interpreted else ""
    return Heatmap(
        rows=labels(sentence.target_pieces),
        columns=labels(sentence.source_pieces),
        values=weights.tolist(),
        scale="attention weight" + (f", {scope}" if scope else ""),
        row_margin=Margin("log p", sentence.scores),
    )


def occlusion(sentence: TranslatedSentence) -> Heatmap:
    """The falls in log-probability, ``(target, source)``.

    The end of the source is never removed, since no model was trained without it.
    """
    falls = occlusion_falls(sentence)
    most = float(falls.max())
    capped = f"; {LARGEST_MAXIMUM:g} and more are alike)" if most > LARGEST_MAXIMUM else ")"
    below = bool((falls < -SMALLEST_MAXIMUM).any())
    return Heatmap(
        rows=labels(sentence.target_pieces),
        columns=labels(sentence.source_pieces[:-1]),
        values=falls.tolist(),
        scale="fall of log p without the piece (nats" + capped,
        row_margin=Margin("log p", sentence.scores),
        column_margin=Margin("sum", falls.sum(0).tolist()),
        maximum=min(max(most, SMALLEST_MAXIMUM), LARGEST_MAXIMUM),
        notes=("A piece that became more probable has a value below 0 and is not shaded.",) if below else (),
    )


def occlusion_falls(sentence: TranslatedSentence) -> Tensor:
    """The fall of each target piece without each source piece, ``(target, source)``, the end of the source excluded."""
    tokens = sentence.source_tokens
    whole = torch.tensor([tokens], device=sentence.device)
    occluded = torch.tensor(
        [[*tokens[:place], *tokens[place + 1 :]] for place in range(len(tokens) - 1)], device=sentence.device
    )
    batches = torch.split(occluded, sentence.rows)
    without = torch.cat([target_log_probabilities(sentence.model, each, sentence.target_tokens) for each in batches])
    # (source, target) -> (target, source)
    return (target_log_probabilities(sentence.model, whole, sentence.target_tokens) - without).T


def gates(sentence: TranslatedSentence) -> Heatmap:
    """Each gate of the encoder's bottom layer, mean over units, from 0 closed to 1 open, ``(gate, source)``.

    The end of the source is the last column.
    """
    if sentence.interpreted is None:
        raise UserError("gates: this model is not recurrent and has no gates; use --kind attention or occlusion")
    source = torch.tensor([sentence.source_tokens], device=sentence.device)
    try:
        with torch.inference_mode():
            found = sentence.interpreted.encoder_gates(source)
    except ValueError as error:
        raise UserError(f"gates: {error}; use --kind attention or occlusion") from error
    values = [gate.mean(-1).tolist() for gate in found.values()]
    return Heatmap(
        rows=[Label(name) for name in found],
        columns=labels(sentence.source_pieces),
        values=values,
        scale="gate, mean over units, bottom layer",
        row_margin=Margin("mean", [sum(row) / len(row) for row in values]),
    )


METHODS: dict[str, Callable[[TranslatedSentence], Heatmap]] = {
    "attention": attention,
    "occlusion": occlusion,
    "gates": gates,
}


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
        margins = heatmap.row_margin, heatmap.column_margin  # the scores of the pieces have a key of their own
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
            **{margin.name: margin.values for margin in margins if margin and margin.name != "log p"},
            "warnings": sentence.diagnostics,
        }


def interpret(translator: TorchTranslator, text: str, kind: str | None = None, run: str = "") -> Interpretation:
    """Translates a sentence and interprets it, by default by attention, or by occlusion if the model has none."""
    sentence = translate_sentence(translator, text)
    chosen = kind or ("attention" if has_attention(sentence) else "occlusion")
    return Interpretation(run, chosen, sentence, METHODS[chosen](sentence))
