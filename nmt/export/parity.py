"""Comparison of an export's translations with the model's, which decides whether the export is accepted.

With matched rules, greedy and without a length penalty, both have to find the same text. With the run's own settings
both are scored, since CTranslate2 stops by another rule when a penalty ranks the hypotheses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain

import torch

from nmt.atomic import JsonObject
from nmt.data.batches import collate
from nmt.errors import Log
from nmt.evaluation.metrics import Bleu, score_bleu
from nmt.inference.ctranslate2 import CTranslate2Translator
from nmt.inference.exports import Export
from nmt.inference.memory import SearchMemory
from nmt.inference.open import open_translator, training_statistics
from nmt.inference.translator import Translation
from nmt.models.protocol import TranslationModel
from nmt.runs.run_folder import Run
from nmt.search import SearchSettings

SAME = 0.999
"""Share of texts that must be the same at fp32, under matched rules."""
CLOSE = 1e-4
"""Largest difference of a piece's log-probability that is put down to rounding at fp32."""
SHOWN = 5
"""Differing translations that a report shows."""
FORCED = 32
"""Sentences whose pieces are scored at a time."""


@dataclass(frozen=True)
class Agreement:
    """Translations of both under the same settings."""

    settings: SearchSettings
    same: int
    """Sentences with the same text."""
    score_difference: float
    """Largest difference in score where the pieces are the same."""
    differing: list[JsonObject]
    """The first few that differ: the source, both texts and both scores."""


@dataclass(frozen=True)
class Parity:
    """The report."""

    quantization: str
    sentences: int
    greedy: Agreement
    beam: Agreement
    """Beam search without length penalty."""
    own: Agreement
    """Under the run's own settings."""
    log_probability_difference: float
    """Largest difference in the log-probability of a piece, under teacher forcing with the references."""
    bleu: float
    """Of the model, under the run's own settings."""
    export_bleu: float
    signature: str
    allowed_loss: float

    @property
    def faults(self) -> list[str]:
        """Why the export is refused; empty if it is accepted."""
        found = []
        if self.quantization == "float32":
            for name, agreement in (("greedy", self.greedy), ("beam without length penalty", self.beam)):
                if agreement.same < SAME * self.sentences:
                    found.append(
                        f"{name}: {agreement.same:,} of {self.sentences:,} texts are the same, expected {SAME:.1%}"
                    )
            if not self.log_probability_difference <= CLOSE:
                found.append(
                    f"log-probabilities differ by {self.log_probability_difference:.1e}, expected at most {CLOSE:.0e}"
                )
        if not self.bleu - self.export_bleu <= self.allowed_loss:
            found.append(
                f"BLEU falls from {self.bleu:.2f} to {self.export_bleu:.2f}, "
                f"expected to lose at most {self.allowed_loss:g}"
            )
        return found

    def as_json(self) -> JsonObject:
        """The fields and the faults, ready for JSON."""
        return {**asdict(self), "faults": self.faults}

    def lines(self) -> Iterator[str]:
        """For people."""
        for name, each in (
            ("greedy", self.greedy),
            (f"beam {self.beam.settings.beam}, no length penalty", self.beam),
            ("own settings", self.own),
        ):
            yield (
                f"{name}: {each.same:,} of {self.sentences:,} texts are the same, "
                f"scores differ by at most {each.score_difference:.1e}"
            )
        yield f"log-probabilities of pieces differ by at most {self.log_probability_difference:.1e}"
        yield f"BLEU {self.bleu:.2f}, exported {self.export_bleu:.2f} (own settings, {self.signature})"


def measure(
    run: Run, export: Export, source: Sequence[str], references: Sequence[str], allowed_loss: float, log: Log
) -> Parity:
    """Translates the sources three times with both, and scores the last."""
    recipe = run.recipe.search
    own = run.search_settings()
    model = open_translator(run, "torch", device="cpu", precision="fp32", search=own, split="never")
    exported = CTranslate2Translator(
        export,
        *run.vocabularies,
        own,
        training_statistics(run),
        batch_tokens=recipe.batch_tokens,
        memory=SearchMemory.of(run),
    )

    def agreement(name: str, search: SearchSettings) -> tuple[Agreement, list[Bleu]]:
        log(f"translating {len(source):,} sentences with both: {name}")
        ours, theirs = (each.with_search(search).translate(source) for each in (model, exported))
        texts = ([each.text for each in found] for found in (ours, theirs))
        bleus = [score_bleu(found, references, target=run.recipe.data.target, intervals=False) for found in texts]
        return _agreement(search, ours, theirs), bleus

    greedy, _ = agreement("greedy", replace(own, beam=1))
    beam, _ = agreement("no length penalty", replace(own, beam=max(own.beam, 2), length_penalty=0.0))
    settled, (bleu, export_bleu) = agreement("the run's own settings", own)
    return Parity(
        quantization=export.description.quantization,
        sentences=len(source),
        greedy=greedy,
        beam=beam,
        own=settled,
        log_probability_difference=_forced(run.model(), exported, source, references),
        bleu=bleu.value,
        export_bleu=export_bleu.value,
        signature=bleu.signature,
        allowed_loss=allowed_loss,
    )


def _agreement(settings: SearchSettings, ours: list[Translation], theirs: list[Translation]) -> Agreement:
    pairs = list(zip(ours, theirs, strict=True))
    differing = [(one, other) for one, other in pairs if one.text != other.text]
    return Agreement(
        settings=settings,
        same=len(pairs) - len(differing),
        score_difference=max(
            (abs(one.score - other.score) for one, other in pairs if one.pieces == other.pieces), default=0.0
        ),
        differing=[
            {
                "source": one.source,
                "model": one.text,
                "model_score": one.score,
                "export": other.text,
                "export_score": other.score,
            }
            for one, other in differing[:SHOWN]
        ],
    )


@torch.inference_mode()
def _forced(
    model: TranslationModel, exported: CTranslate2Translator, source: Sequence[str], references: Sequence[str]
) -> float:
    """The largest difference in the log-probability of a piece of the references, or of their ends."""
    encode, room = exported.target_vocabulary.encode, exported.positions - 1
    sources = [exported.source_vocabulary.encode(line)[:room] for line in source]
    pairs = sorted(
        ((part, encode(line)[:room]) for part, line in zip(sources, references, strict=True) if part),
        key=lambda pair: len(pair[0]),
    )
    largest = 0.0
    for start in range(0, len(pairs), FORCED):
        sides = list(zip(*pairs[start : start + FORCED], strict=True))
        batch = collate(*sides)
        logits = model(batch.source, batch.source_mask, batch.previous)
        ours = logits.log_softmax(-1).gather(2, batch.expected.unsqueeze(2)).squeeze(2)[batch.target_mask]
        theirs = torch.tensor(list(chain.from_iterable(exported.score(*sides))))
        largest = max(largest, float((ours - theirs).abs().max()))
    return largest
