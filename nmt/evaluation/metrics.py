"""BLEU, chrF2 and TER of detokenised text by sacrebleu, each with its signature and a bootstrap interval.

sacrebleu itself zips lists of unequal length and takes its random seed from the environment; here lengths are compared before every call
and the seed is fixed, so that a signature says all there is to know about a number.
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
"""With fewer sentences than this, BLEU moves by several points with a handful of them: such scores are marked."""
TOKENISED = 0.1
"""When more than this share of lines ends in " .", the text looks tokenised, and a score on it compares with nothing."""

_LANGUAGES = {
    **dict.fromkeys(("zh", "zho", "chi", "cmn", "yue", "chinese"), "zh"),
    **dict.fromkeys(("ja", "jpn", "japanese"), "ja"),
    **dict.fromkeys(("ko", "kor", "korean"), "ko"),
    **dict.fromkeys(("th", "tha", "lo", "lao", "km", "khm", "my", "mya", "bo", "bod"), "unspaced"),
}


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric on one set of sentences, 0..100; TER counts errors, so smaller is better there.

    ``low`` and ``high`` bound the 95 % interval of the bootstrap over sentences: it covers the choice of sentences, not that of a seed.
    """

    name: str
    value: float
    signature: str
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not self.signature:
            raise ValueError(f"{self.name}: a score without its signature compares with nothing")

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Bleu(Score):
    """BLEU with what hides in it: the brevity penalty 0..1, and the length of hypotheses over that of references in tokens."""

    brevity_penalty: float
    length_ratio: float


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The score of every metric in `METRICS` on one test set, by its key there, and warnings for the reader."""

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
        """Whether there are too few sentences for BLEU to be trusted."""
        return self.sentences < SMALL

    def as_json(self) -> dict[str, Any]:
        """Each metric by its key, sentences, warnings and `small`, ready for JSON."""
        scores = {key: found.as_json() for key, found in self.metrics.items()}
        return {**scores, "sentences": self.sentences, "warnings": list(self.warnings), "small": self.small}


def score(hypotheses: Sequence[str], references: Sequence[str], *, target: str, intervals: bool = True) -> Scores:
    """Every metric of hypotheses against one reference each; the language ``target`` decides how they are tokenised."""
    check(hypotheses, references)
    return Scores(
        metrics={key: _score(metric(target), hypotheses, references, intervals) for key, metric in METRICS.items()},
        sentences=len(hypotheses),
        warnings=tuple(_warnings(hypotheses, references)),
    )


def score_bleu(hypotheses: Sequence[str], references: Sequence[str], *, target: str, intervals: bool = True) -> Bleu:
    """BLEU alone, with signature and interval: where the other two metrics would only take time."""
    check(hypotheses, references)
    found = _score(METRICS["bleu"](target), hypotheses, references, intervals)
    assert isinstance(found, Bleu)
    return found


def bleu(hypotheses: Sequence[str], references: Sequence[str], target: str) -> float:
    """BLEU as a plain number, for validation during training."""
    return score_bleu(hypotheses, references, target=target, intervals=False).value


def check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Refuses what sacrebleu would silently score or answer with an IndexError."""
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(lines, str) or not all(isinstance(line, str) for line in lines):
            raise UserError(f"{name}: expected a list of strings, one per sentence")
    if len(hypotheses) != len(references):
        raise UserError(
            f"{len(hypotheses)} hypotheses, but {len(references)} references: a score needs one reference per hypothesis"
        )
    if not hypotheses:
        raise UserError("nothing to score: there are no sentences")


def _bleu(target: str) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    # `force` only silences sacrebleu's own warning about tokenised text; ours names the side and the share.
    return BLEU(tokenize=_tokenizer(_language(target)), force=True)


def _chrf(target: str) -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return _averageable(CHRF())


def _ter(target: str) -> TER:
    from sacrebleu.metrics.ter import TER

    # Without word boundaries, TER would take a whole Chinese or Japanese sentence for one word.
    split = _language(target) in ("zh", "ja")
    return TER(normalized=split, asian_support=split)


METRICS: dict[str, Callable[[str], Metric]] = {"bleu": _bleu, "chrf": _chrf, "ter": _ter}
"""By its key in JSON, a function that makes a sacrebleu metric for a target language such as ``en``, ``zh_CN`` or ``jpn``."""


def _language(target: str) -> str | None:
    return _LANGUAGES.get(re.split("[-_]", target.lower())[0])


def _averageable(metric: CHRF) -> CHRF:
    """Gives 0 the type of the other scores: sacrebleu's bootstrap cannot average its 0.0, of a resample without a match, with float32."""
    compute = metric._compute_f_score
    metric._compute_f_score = lambda statistics: compute(statistics) or statistics[0] * 0.0  # type: ignore[method-assign]  # no other way in
    return metric


@contextmanager
def pinned_seed() -> Iterator[None]:
    """Within it sacrebleu resamples from `SEED`, whatever SACREBLEU_SEED says."""
    before = os.environ.get("SACREBLEU_SEED")
    os.environ["SACREBLEU_SEED"] = str(SEED)
    try:
        yield
    finally:
        del os.environ["SACREBLEU_SEED"]
        if before is not None:
            os.environ["SACREBLEU_SEED"] = before


def _tokenizer(language: str | None) -> str:
    """sacrebleu's name of the tokenizer; characters where a language writes no spaces and its tokenizer is not installed."""
    if language is None or language == "zh":
        return language or "13a"
    module = {"ja": "ipadic", "ko": "mecab_ko"}.get(language)
    return f"{language}-mecab" if module and find_spec(module) else "char"


def _score(metric: Metric, hypotheses: Sequence[str], references: Sequence[str], intervals: bool) -> Score:
    with pinned_seed():
        found: Any = metric.corpus_score(hypotheses, [references], n_bootstrap=RESAMPLES if intervals else 1)
    score = Score(name=found.name, value=float(found.score), signature=str(metric.get_signature()))
    if intervals:
        # sacrebleu shows mean and half width only as text rounded for print; the numbers behind it are these.
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
            yield f'{tokenised} of {len(lines)} {name} end in " .": they look tokenised, and scores are for detokenised text'
