"""One sentence and its translation: token ids, pieces and the log-probability of each target piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt import printable
from nmt.data.vocabulary import BOS, EOS, normalized
from nmt.errors import RunError, UserError
from nmt.inference.diagnostics import CAPPED
from nmt.inference.translator import TorchTranslator
from nmt.models.protocol import DecodingProtocol, TranslationModel
from nmt.search import Hypothesis


@dataclass(frozen=True)
class TranslatedSentence:
    """One sentence with the best translation that search found."""

    model: DecodingProtocol
    interpreted: TranslationModel | None
    """The model with all its parts; None for a fake."""
    source: str
    text: str
    """The translation."""
    source_tokens: list[int]
    """Token ids as the model read them, with the end of the source."""
    target_tokens: list[int]
    """Token ids of the translation, with its end unless search stopped at the length limit."""
    source_pieces: list[str]
    target_pieces: list[str]
    hypothesis: Hypothesis
    rows: int
    """Sources of this length computed at a time."""
    device: torch.device | str = "cpu"
    """Where the model is."""

    @property
    def scores(self) -> list[float]:
        """Log-probability of each target piece given those before it; the sum is that of the translation."""
        return list(self.hypothesis.token_scores)

    @property
    def diagnostics(self) -> list[str]:
        """What may be wrong with the translation."""
        return [] if self.hypothesis.finished else [CAPPED]


def translate_sentence(translator: TorchTranslator, text: str) -> TranslatedSentence:
    """Translates one sentence that is short enough to be translated in one part."""
    tokens = translator.source_vocabulary.encode(text)
    if not tokens:
        raise UserError("the sentence is empty; expected a sentence to translate")
    if len(tokens) > translator.limit:
        raise UserError(
            f"the sentence has {len(tokens)} tokens, and this run translates at most {translator.limit} in one part;"
            " give a shorter one"
        )
    source = [*tokens, EOS]
    best = _search(translator, source)
    target = [*best.tokens, *[EOS] * best.finished]
    return TranslatedSentence(
        model=translator.model,
        interpreted=translator.interpreted,
        source=printable.visible(normalized(text)),
        text=printable.visible(translator.target_vocabulary.decode(best.tokens)),
        source_tokens=source,
        target_tokens=target,
        source_pieces=translator.source_vocabulary.pieces(source),
        target_pieces=translator.target_vocabulary.pieces(target),
        hypothesis=best,
        rows=translator.rows(len(source)),
        device=translator.device,
    )


@torch.inference_mode()
def target_log_probabilities(model: DecodingProtocol, source: Tensor, target: Sequence[int]) -> Tensor:
    """Log-probability of each target token under teacher forcing, ``(batch, target)``.

    Sources ``(batch, source)`` are without padding.
    """
    memory = model.encode(source, torch.ones_like(source, dtype=torch.bool))
    state = model.initial_state(memory)
    previous = torch.full_like(source[:, 0], BOS)
    scores = []
    for token in target:
        step = model.step(previous, state, memory)
        scores.append(step.logits.float().log_softmax(-1)[:, token])
        previous, state = torch.full_like(previous, token), step.state
    return torch.stack(scores, 1)


def _search(translator: TorchTranslator, source: list[int]) -> Hypothesis:
    tokens = torch.tensor([source], device=translator.device)
    try:
        mask = torch.ones_like(tokens, dtype=torch.bool)
        return translator.search(translator.model, tokens, mask, cancelled=translator.cancelled)[0][0]
    except FloatingPointError as error:
        raise RunError(str(error)) from error
