"""BLEU, chrF2 and TER of detokenised text by sacrebleu, each with its signature and a bootstrap interval.

sacrebleu accepts lists of unequal length and takes its random seed from the environment. Here lengths are compared
first and the seed is fixed, so a signature identifies the computation completely.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nmt.errors import UserError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

RESAMPLES = 1000
"""Bootstrap resamples behind every interval and every paired test."""
SEED = 12345
"""Seed of the resamples: sacrebleu's own default."""
SMALL = 100
"""With fewer sentences a handful of them changes BLEU by several points; such scores are marked."""
TOKENISED = 0.1
"""With a larger share of lines that end in " .", the text looks tokenised and its scores are not comparable."""

_LANGUAGES = {
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "yue", "chinese"), "zh"),
    **dict.fromkeys(("ja", "jpn", "japanese"), "ja"),
    **dict.fromkeys(("ko", "kor", "korean"), "ko"),
    **dict.fromkeys(("th", "tha", "lo", "lao", "km", "khm", "my", "mya", "bo", "bod"), "unspaced"),
}


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric on one set of sentences, 0..100; smaller is better for TER.

    ``low`` and ``high`` bound the 95 % bootstrap interval over sentences, which does not cover the choice of a seed.
    """

    name: str
    value: float
    signature: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not self.signature:
            raise ValueError(f"{self.name}: a score needs its signature")

    def as_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Bleu(Score):
    """BLEU with its brevity penalty 0..1, and the length of the hypotheses over that of the references in tokens."""

    brevity_penalty: float
    length_ratio: float


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of one test set by the keys of `METRICS`, and warnings for the reader."""

    metrics: dict[str, Score]
    sentences: int
    warnings: tuple[str, ...] = ()

    @property
    def bleu(self) -> Bleu:
        """BLEU with its brevity penalty."""
        found = self.metrics["bleu"]
        assert isinstance(found, Bleu)
        return found

    @property
    def small(self) -> bool:
        """Whether there are fewer than `SMALL` sentences."""
        return self.sentences < SMALL

    def as_json(self) -> dict[str, Any]:
        """Each metric under its key, sentences, warnings and `small`."""
        scores = {key: found.as_json() for key, found in self.metrics.items()}
        return {**scores, "sentences": self.sentences, "warnings": list(self.warnings), "small": self.small}


def score(hypotheses: Sequence[str], references: Sequence[str], *, target: str, intervals: bool = True) -> Scores:
    """All metrics of hypotheses against one reference each; the language ``target`` decides the tokenisation."""
    check(hypotheses, references)
    return Scores(
        metrics={key: _score(metric(target), hypotheses, references, intervals) for key, metric in METRICS.items()},
        sentences=len(hypotheses),
        warnings=tuple(_warnings(hypotheses, references)),
    )


def score_bleu(hypotheses: Sequence[str], references: Sequence[str], *, target: str, intervals: bool = True) -> Bleu:
    """BLEU alone, with signature and interval."""
    check(hypotheses, references)
    found = _score(METRICS["bleu"](target), hypotheses, references, intervals)
    assert isinstance(found, Bleu)
    return found


def bleu(hypotheses: Sequence[str], references: Sequence[str], target: str) -> float:
    """BLEU as a plain number, for validation during training."""
    return score_bleu(hypotheses, references, target=target, intervals=False).value


def check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Raises on input that sacrebleu would score silently or answer with an IndexError."""
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(lines, str) or not all(isinstance(line, str) for line in lines):
            raise UserError(f"{name}: expected a list of strings, one per sentence")
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses)} hypotheses, but {len(references)} references: "
            "a score needs one reference per hypothesis"
        )
    if not hypotheses:
        raise UserError("nothing to score: there are no sentences")


def _bleu(target: str) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    # `force` silences the warning of sacrebleu about tokenised text; ours names the side and the share.
    return BLEU(tokenize=_tokenizer(_language(target)), force=True)


def _chrf(target: str) -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return _averageable(CHRF())


def _ter(target: str) -> TER:
    from sacrebleu.metrics.ter import TER

    # Without spaces TER would count a whole Chinese or Japanese sentence as one word.
    split = _language(target) in ("zh", "ja")
    return TER(normalized=split, asian_support=split)


METRICS: dict[str, Callable[[str], Metric]] = {"bleu": _bleu, "chrf": _chrf, "ter": _ter}
"""Functions that make a sacrebleu metric for a target language such as ``en``, ``zh_CN`` or ``jpn``, by key in JSON."""


def _language(target: str) -> str | None:
    return _LANGUAGES.get(re.split("[-_]", target.lower())[0])


def _averageable(metric: CHRF) -> CHRF:
    """Gives a score of 0 the type of the others: the bootstrap of sacrebleu cannot average a float with float32."""
    compute = metric._compute_f_score

    def typed(statistics: Any) -> Any:
        return compute(statistics) or statistics[0] * 0.0

    metric._compute_f_score = typed  # type: ignore[method-assign]  # sacrebleu has no setting for it
    return metric


@contextmanager
def pinned_seed() -> Iterator[None]:
    """A context in which sacrebleu resamples from `SEED`, whatever SACREBLEU_SEED says."""
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(SEED)
    try:
        yield
    finally:
        del os.environ["SACREBLEU_SEED"]
        if before is not None:
            os.environ["SACREBLEU_SEED"] = before


def _tokenizer(language: str | None) -> str:
    """The tokenizer of sacrebleu; characters for a language without spaces whose tokenizer is not installed."""
    if language is None or language == "zh":
        return language or "13a"
    module = {"ja": "ipadic", "ko": "mecab_ko"}.get(language)
    return f"{language}-mecab" if module and find_spec(module) else "char"


def _score(metric: Metric, hypotheses: Sequence[str], references: Sequence[str], intervals: bool) -> Score:
    with pinned_seed():
        found: Any = metric.corpus_score(hypotheses, [references], n_bootstrap=RESAMPLES if intervals else 1)
    score = Score(name=found.name, value=float(found.score), signature=str(metric.get_signature()))
    if intervals:
        # the public attributes are rounded text
        mean, half_width = float(found._mean), float(found._ci)
        score = replace(score, low=mean - half_width, high=mean + half_width)
    if score.name != "BLEU":
        return score
    return Bleu(**asdict(score), brevity_penalty=float(found.bp), length_ratio=float(found.ratio))


def _warnings(hypotheses: Sequence[str], references: Sequence[str]) -> Iterator[str]:
    if len(hypotheses) < SMALL:
        yield f"{len(hypotheses)} sentences are too few for BLEU: look at chrF2 and the intervals"
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        tokenised = sum(line.rstrip().endswith(" .") for line in lines)
        if tokenised > TOKENISED * len(lines):
            share = f'{tokenised} of {len(lines)} {name} end in " ."'
            yield f"{share}: they look tokenised, and scores are for detokenised text"
