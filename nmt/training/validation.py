"""Validation: the loss under teacher forcing, and BLEU of real decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from nmt.data.batches import Batches
from nmt.data.pairs import Pairs
from nmt.evaluation.metrics import bleu
from nmt.models.protocol import TranslationModel
from nmt.training.objective import objective
from nmt.training.progress import Validation


class Validator:
    """Scores a model in training on the validation split; random states and the model's mode stay as they were.

    The translator translates with the model. ``pairs`` are the sentences of the split and ``batches`` their token ids.
    """

    def __init__(
        self,
        model: TranslationModel,
        translate: Callable[[Sequence[str]], list[str]],
        pairs: Pairs,
        batches: Batches,
        language: str,
        device: torch.device,
        precision: str,
    ) -> None:
        """`translate` translates with the model's weights as they are when it is called."""
        self.model, self.translate, self.device, self.precision = model, translate, device, precision
        self.pairs, self.batches, self.language = pairs, batches, language

    @torch.inference_mode()
    def __call__(self) -> Validation:
        mode = self.model.training
        self.model.eval()
        try:
            return Validation(self._loss(), bleu(self.translate(self.pairs.source), self.pairs.target, self.language))
        finally:
            self.model.train(mode)

    def _loss(self) -> float:
        """The negative log-likelihood per target token, EOS included."""
        nll, tokens = 0.0, 0
        for number in range(self.batches.count(0)):
            batch = self.batches.batch(0, number).to(self.device)
            loss = objective(self.model, batch, precision=self.precision)
            nll, tokens = nll + loss.nll.item(), tokens + loss.tokens
        return nll / tokens
