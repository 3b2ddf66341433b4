"""BLEU, chrF2 and TER of detokenised text by sacrebleu, each with its signature and a bootstrap interval.

sacrebleu itself zips lists of unequal length and takes its random seed from the environment; here lengths are compared before every call
and the seed is fixed, so that a signature says all there is to know about a number.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from nmt.errors import UserError

if TYPE_CHECKING:
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
    """The three metrics on one test set, and what a reader has to be warned of."""

    bleu: Bleu
    chrf: Score
    ter: Score
    sentences: int
    warnings: tuple[str, ...] = ()

    @property
    def small(self) -> bool:
        """Whether there are too few sentences for BLEU to be trusted."""
        return self.sentences < SMALL

    def as_json(self) -> dict[str, Any]:
        """The fields and `small`, ready for JSON."""
        return {**asdict(self), "small": self.small, "warnings": list(self.warnings)}


def score(hypotheses: Sequence[str], references: Sequence[str], *, target: str, intervals: bool = True) -> Scores:
    """All three metrics of hypotheses against one reference each; the language ``target`` decides how they are tokenised."""
    check(hypotheses, references)
    by_bleu, by_chrf, by_ter = metrics(target)
    return Scores(
        bleu=_bleu(by_bleu, hypotheses, references, intervals),
        chrf=Score(**_computed(by_chrf, hypotheses, references, intervals)[1]),
        ter=Score(**_computed(by_ter, hypotheses, references, intervals)[1]),
        sentences=len(hypotheses),
        warnings=tuple(_warnings(hypotheses, references)),
    )


def score_bleu(hypotheses: Sequence[str], references: Sequence[str], *, target: str, intervals: bool = True) -> Bleu:
    """BLEU alone, with signature and interval: where the other two metrics would only take time."""
    check(hypotheses, references)
    return _bleu(metrics(target)[0], hypotheses, references, intervals)


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


def metrics(target: str) -> tuple[BLEU, CHRF, TER]:
    """Fresh sacrebleu metrics for a target language such as ``en``, ``zh_CN`` or ``jpn``."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    language = _LANGUAGES.get(re.split("[-_]", target.lower())[0])
    # Without word boundaries, TER would take a whole Chinese or Japanese sentence for one word.
    split = language in ("zh", "ja")
    # `force` only silences sacrebleu's own warning about tokenised text; ours names the side and the share.
    return (
        BLEU(tokenize=_tokenizer(language), force=True),
        _averageable(CHRF()),
        TER(normalized=split, asian_support=split),
    )


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


def _computed(
    metric: BLEU | CHRF | TER, hypotheses: Sequence[str], references: Sequence[str], intervals: bool
) -> tuple[Any, dict[str, Any]]:
    """sacrebleu's score, and the fields of ours."""
    with pinned_seed():
        found = metric.corpus_score(hypotheses, [references], n_bootstrap=RESAMPLES if intervals else 1)
    fields = {"name": found.name, "value": float(found.score), "signature": str(metric.get_signature())}
    if intervals:
        # sacrebleu shows mean and half width only as text rounded for print; the numbers behind it are these.
        mean, half_width = float(found._mean), float(found._ci)
        fields |= {"low": mean - half_width, "high": mean + half_width}
    return found, fields


def _bleu(metric: BLEU, hypotheses: Sequence[str], references: Sequence[str], intervals: bool) -> Bleu:
    found, fields = _computed(metric, hypotheses, references, intervals)
    return Bleu(**fields, brevity_penalty=float(found.bp), length_ratio=float(found.ratio))


def _warnings(hypotheses: Sequence[str], references: Sequence[str]) -> Iterator[str]:
    if len(hypotheses) < SMALL:
        yield f"{len(hypotheses)} sentences are too few for BLEU: look at chrF2 and the intervals"
    for name, lines in (("hypotheses", hypotheses), ("references", references)):
        tokenised = sum(line.rstrip().endswith(" .") for line in lines)
        if tokenised > TOKENISED * len(lines):
            yield f'{tokenised} of {len(lines)} {name} end in " .": they look tokenised, and scores are for detokenised text'
