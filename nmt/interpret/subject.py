"""The translation that is looked at: what the model read, what it wrote, and how probable it found each piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, normalized
from nmt.errors import RunError, UserError
from nmt.inference.diagnostics import CAPPED
from nmt.inference.translator import Translator
from nmt.models.protocol import DecodingProtocol
from nmt.search import Hypothesis


@dataclass(frozen=True)
class Subject:
    """One sentence with the translation that search found for it."""

    model: DecodingProtocol
    source: str
    text: str
    """The translation."""
    source_tokens: list[int]
    """Token ids as the model read them, the end among them."""
    target_tokens: list[int]
    """Token ids of the translation; the end is the last of them, unless it was cut before."""
    source_pieces: list[str]
    target_pieces: list[str]
    hypothesis: Hypothesis
    batch_tokens: int
    """Padded source positions that may be computed at a time."""
    device: torch.device | str = "cpu"
    """Where the model is."""

    @property
    def scores(self) -> list[float]:
        """Log-probability of each target piece, given those before it; they sum to that of the translation."""
        return list(self.hypothesis.token_scores)

    @property
    def warnings(self) -> list[str]:
        """What may be wrong with the translation."""
        return [] if self.hypothesis.finished else [CAPPED]


def translated(translator: Translator, text: str) -> Subject:
    """Translates one sentence, which has to be short enough to be translated whole."""
    tokens = translator.source_vocabulary.encode(text)
    if not tokens:
        raise UserError("the sentence is empty; expected something to translate")
    if len(tokens) > translator.limit:
        raise UserError(
            f"the sentence has {len(tokens)} pieces and this run translates at most {translator.limit} in one go; give a shorter one"
        )
    source = [*tokens, EOS]
    found = _search(translator, source)
    target = [*found.tokens, *[EOS] * found.finished]
    return Subject(
        model=translator.model,
        source=_printable(normalized(text)),
        text=_printable(translator.target_vocabulary.decode(found.tokens)),
        source_tokens=source,
        target_tokens=target,
        source_pieces=translator.source_vocabulary.pieces(source),
        target_pieces=translator.target_vocabulary.pieces(target),
        hypothesis=found,
        batch_tokens=translator.batch_tokens,
        device=translator.device,
    )


@torch.inference_mode()
def forced(model: DecodingProtocol, source: Tensor, target: Sequence[int]) -> Tensor:
    """Log-probability of each piece of a target under teacher forcing, ``(batch, target)``, for sources without padding ``(batch, source)``."""
    memory = model.encode(source, torch.ones_like(source, dtype=torch.bool))
    state = model.initial_state(memory)
    previous = torch.full_like(source[:, 0], BOS)
    scores = []
    for token in target:
        step = model.step(previous, state, memory)
        scores.append(step.logits.float().log_softmax(-1)[:, token])
        previous, state = torch.full_like(previous, token), step.state
    return torch.stack(scores, 1)


def _search(translator: Translator, source: list[int]) -> Hypothesis:
    tokens = torch.tensor([source], device=translator.device)
    try:
        return translator.search(translator.model, tokens, torch.ones_like(tokens, dtype=torch.bool))[0][0]
    except FloatingPointError as error:
        raise RunError(str(error)) from error


def _printable(text: str) -> str:
    """Control characters would be obeyed by a terminal, and may not stand in an SVG."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
