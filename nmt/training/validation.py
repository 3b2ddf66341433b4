"""Validation: the loss under teacher forcing, and BLEU of real decoding."""

from __future__ import annotations

import torch

from nmt.data.batches import Batches
from nmt.evaluation.metrics import bleu
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import TorchTranslator
from nmt.models.protocol import TranslationModel
from nmt.recipe.types import Recipe
from nmt.search import SearchSettings
from nmt.training.objective import objective
from nmt.training.preparing import Dataset
from nmt.training.progress import Validation


class Validator:
    """Judges a model in training on the validation split. Random states and the model's mode are left as they were."""

    def __init__(
        self,
        model: TranslationModel,
        prepared: Dataset,
        recipe: Recipe,
        search: SearchSettings,
        longest: int,
        device: torch.device,
        precision: str,
    ) -> None:
        self.model, self.device, self.precision = model, device, precision
        self.pairs, self.language = prepared.corpus.valid, recipe.data.target
        self.batches = Batches(*prepared.valid, seed=0, batch_tokens=recipe.training.batch_tokens)
        self.translator = TorchTranslator(
            model,
            prepared.source,
            prepared.target,
            search,
            TrainingStatistics(longest),
            batch_tokens=recipe.search.batch_tokens,
            precision=recipe.search.precision,
            device=device,
        )

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
        """The negative log-likelihood per target token, end of sentence included."""
        nll, tokens = 0.0, 0
        for number in range(self.batches.count(0)):
            batch = self.batches.batch(0, number).to(self.device)
            loss = objective(self.model, batch, precision=self.precision)
            nll, tokens = nll + loss.nll.item(), tokens + loss.tokens
        return nll / tokens
