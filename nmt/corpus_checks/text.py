"""Checks of single sentences: script, language, damaged encodings, markup, tokenised text.

Sentences in the language of the other side are found by trigram models of the two sides of the training split; with the
extra `lid`, sentences that are not in the language that the recipe names.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial

from nmt.corpus_checks.report import SIDES, Found, odd_sentences
from nmt.data.pairs import Pairs
from nmt.text import detection

OWN_SCRIPT = 0.02
"""Smallest share of a side's letters for a script to belong to it."""
MIN_LETTERS = 20
"""Shortest sentence whose language is judged."""
LOOKED_AT = 1000
"""Sentences of a side whose language is identified, which takes a millisecond each."""
PROFILE = 20_000
"""Sentences of a side whose trigrams are counted."""
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]{2,8}|#[0-9]{2,6}|#x[0-9a-fA-F]{2,6});")
_TOKENS = re.compile(r"\w [.,](?: |$)|@-@|@@ |\w '(?:s|re|ve|ll|d|m) |\w n't ")
_FOREIGN = re.compile(r"[^\x00-\x7f]{2,}")
_NEVER = {"Cc", "Cn", "Co", "Cs"}
"""Unicode categories that text does not have: control, unassigned, private, surrogate."""


def defects(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences of either side with each defect."""
    for check, odd in (("damaged", damaged), ("markup", _MARKUP.search), ("tokenised", _TOKENS.search)):
        yield from odd_sentences(check, splits, dict.fromkeys(SIDES, odd))


def scripts(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences with most letters in a script that this side of the training split hardly has."""
    odd = {}
    for side in SIDES:
        texts = getattr(splits["train"], side)[:PROFILE]
        counts = Counter(script for text in texts for script in map(_script, text) if script)
        own = {script for script, count in counts.items() if count >= OWN_SCRIPT * counts.total()}
        odd[side] = partial(_foreign, own)
    return odd_sentences("script", splits, odd)


def languages(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences that are more probable under the trigram model of the other side than of their own."""
    source, target = (_Profile(getattr(splits["train"], side)) for side in SIDES)
    odd = {"source": partial(_likelier, target, source), "target": partial(_likelier, source, target)}
    return odd_sentences("language", splits, odd)


def other_languages(splits: Mapping[str, Pairs], source: str, target: str) -> Iterator[Found]:
    """Sentences that do not look like the language of their side, of at most `LOOKED_AT` of each split."""
    some = {name: pairs.take(range(0, len(pairs), -(-len(pairs) // LOOKED_AT))) for name, pairs in splits.items()}
    odd = {"source": partial(_unlike, source), "target": partial(_unlike, target)}
    return odd_sentences("other language", some, odd)


def _unlike(language: str, text: str) -> bool:
    return detection.unlike(text, [language]) is not None


class _Profile:
    """A model of character trigrams, with add-one smoothing."""

    def __init__(self, sentences: Sequence[str]) -> None:
        every = max(1, len(sentences) // PROFILE)
        self.counts = Counter(trigram for text in sentences[::every] for trigram in _trigrams(text))
        self.total = self.counts.total() + len(self.counts)

    def score(self, text: str) -> float:
        """Log-probability of the trigrams of a text, in nats."""
        return sum(math.log((self.counts[trigram] + 1) / self.total) for trigram in _trigrams(text))


def _likelier(other: _Profile, own: _Profile, text: str) -> bool:
    return sum(map(str.isalpha, text)) >= MIN_LETTERS and other.score(text) > own.score(text)


def _trigrams(text: str) -> Iterator[str]:
    spaced = f" {' '.join(text.casefold().split())} "
    return map("".join, zip(spaced, spaced[1:], spaced[2:], strict=False))


def _foreign(own: set[str], text: str) -> bool:
    found = [script for script in map(_script, text) if script]
    return 2 * sum(script not in own for script in found) > len(found)


@cache
def _script(character: str) -> str | None:
    """The first word of a letter's Unicode name, such as LATIN or CJK; None for other characters."""
    return unicodedata.name(character, "UNNAMED").partition(" ")[0] if character.isalpha() else None


def damaged(text: str) -> bool:
    """Whether a text was decoded wrongly: it has U+FFFD, characters no text has, or UTF-8 read as Latin-1."""
    if text.isascii() and text.isprintable():
        return False
    odd = any(
        character in "\ufffd\ufeff" or unicodedata.category(character) in _NEVER
        for character in text
        if character != "\t"
    )
    return odd or any(map(_misread, _FOREIGN.findall(text)))


def _misread(characters: str) -> bool:
    """Whether these characters give valid UTF-8 when they are encoded as Windows-1252 or Latin-1."""
    try:
        characters.encode("cp1252").decode()
    except UnicodeDecodeError:
        return False
    except UnicodeEncodeError:  # the table of Windows-1252 has holes
        return _misread_latin(characters)
    return True


def _misread_latin(characters: str) -> bool:
    try:
        characters.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True
