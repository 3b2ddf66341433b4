"""Validation: the loss under teacher forcing, and BLEU of real decoding."""

from __future__ import annotations

import torch

from nmt.data.batches import Batches
from nmt.data.pairs import Pairs
from nmt.evaluation.metrics import bleu
from nmt.inference.translator import TorchTranslator
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
        translator: TorchTranslator,
        pairs: Pairs,
        batches: Batches,
        language: str,
        precision: str,
    ) -> None:
        self.model, self.translator = model, translator
        self.pairs, self.batches, self.language, self.precision = pairs, batches, language, precision

    @torch.inference_mode()
    def __call__(self) -> Validation:
        mode = self.model.training
        self.model.eval()
        try:
            hypotheses = [found.text for found in self.translator.translate(self.pairs.source)]
            return Validation(self._loss(), bleu(hypotheses, self.pairs.target, self.language))
        finally:
            self.model.train(mode)

    def _loss(self) -> float:
        """The negative log-likelihood per target token, EOS included."""
        nll, tokens = 0.0, 0
        for number in range(self.batches.count(0)):
            batch = self.batches.batch(0, number).to(self.translator.device)
            loss = objective(self.model, batch, precision=self.precision)
            nll, tokens = nll + loss.nll.item(), tokens + loss.tokens
        return nll / tokens
