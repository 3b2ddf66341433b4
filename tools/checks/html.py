"""HTML loses no text and no tag, and a paragraph with tags is translated as without.

Generated documents hold numbered words, so that what comes out is known without a parser. Their translator turns each
sentence around, word by word. Pages, one for 25 documents, hold sentences of the built-in corpus in structures of real
ones; a run translates them, by default the demo model.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path

from nmt.data.builtin import pairs
from nmt.documents.html import HtmlDocument
from nmt.documents.words import word_spans
from nmt.errors import UserError
from nmt.inference.open import open_translator
from nmt.inference.translator import Translation, Translator, combine
from nmt.runs import demo
from nmt.runs.run_folder import Run
from nmt.text.passage import Passage
from tools.checks.check import Trial
from tools.checks.html_documents import Generator, Known

DOCUMENTS_PER_PAGE = 25
DIFFERENT = "% of paragraphs that differ"
ALIKE = 0.95
"""The share of paragraphs that must translate with tags as without."""
STRUCTURES = [
    line
    for line in Path(__file__).with_name("pages.txt").read_text(encoding="utf8").splitlines()
    if not line.startswith("# ")
]
"""Parts of real pages: ``{s}`` stands for a sentence with tags in it, ``{t}`` for one without."""
FRAMES = (
    "{}",
    "<!doctype html>\n<html lang='de'>\n<head><meta charset='utf-8'><title>Seite</title><style>p {{margin: 0}}</style>"
    "</head>\n<body class='home'>\n{}\n</body>\n</html>\n",
    "<html><body bgcolor=white>{}</body></html>",
    '<div class="main"><div class="inner">{}</div></div>',
)
TAGS = (
    ("<b>", "</b>"),
    ("<em>", "</em>"),
    ('<a href="/x">', "</a>"),
    ('<span style="color:red">', "</span>"),
    ("<strong><i>", "</i></strong>"),
)


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """Documents, pages, and the share of paragraphs that translate alike."""
    alike = Counter[bool]()
    for number in range(count):
        known = Generator(random.Random(f"html {number}")).document()
        yield Trial(f"document {number}", _fault(known, alike))
    yield _shared("paragraphs of documents", alike)
    alike = Counter[bool]()
    run = Run(runs[0] if runs else demo.ATTENTION)
    with open_translator(run, search=run.search_settings(keep_weights=True)) as translator:
        for number in range(count // DOCUMENTS_PER_PAGE):
            page = _page(random.Random(f"page {number}"))
            yield Trial(f"page {number} by {run.path.name}", _page_fault(page, translator, alike))
    yield _shared(f"paragraphs of pages by {run.path.name}", alike)


def _shared(what: str, alike: Counter[bool]) -> Trial:
    tried = f"{what}: {alike[True]:,} of {alike.total():,} translated with tags as without"
    share = alike[True] / max(alike.total(), 1)
    return Trial(tried, tried if share < ALIKE and alike else None, {DIFFERENT: 100 * (1 - share)})


def reversed_words(text: str) -> Translation:
    """Each sentence with its words in the opposite order, aligned, and with W changed to T."""
    passage = Passage.of_sentences(text)
    return combine(passage, [_reversed_sentence(sentence) for sentence in passage.sentences])


def _reversed_sentence(sentence: str) -> Translation:
    spans = word_spans(sentence)
    words = [sentence[start:end] for start, end in spans]
    target = [word.replace("W", "T") for word in reversed(words)]
    text = " ".join(target)
    places = word_spans(text)
    return Translation(
        sentence,
        text,
        pieces=target,
        source_pieces=words,
        alignment=[(len(words) - 1 - place, place) for place in range(len(words))] if len(places) == len(words) else [],
        source_spans=spans,
        spans=places,
    )


def _fault(known: Known, alike: Counter[bool]) -> str | None:
    try:
        document = HtmlDocument(known.text)
        found = document.rebuilt([reversed_words(block) for block in document.blocks])
    except UserError as error:
        return f"refused: {error}: {known.text[:300]!r}"
    for kind, before, letter, expected in (
        ("translated", "", "T", [f"T{word[1:]}" for word in known.words]),
        ("untranslated", "", "W", []),
        ("kept", "", "k", known.kept),
        ("tag", "id=[\"']?", "n", [f"n{place}x" for place in range(len(known.tags))]),
    ):
        counted = Counter(match[0][match[0].rindex(letter) :] for match in re.finditer(rf"{before}{letter}\d+x", found))
        if counted != Counter(expected):
            wrong = [*(counted - Counter(expected)), *(Counter(expected) - counted)]
            return f"{kind}: {wrong[:5]} of {known.text[:300]!r}"
    if _ends(found) != _ends(known.text):
        return f"end tags: {known.text[:300]!r}"
    for start, plain in known.paragraphs:
        inside = found.partition(start)[2].partition("</p>")[0]
        alike[_bare(inside) == reversed_words(plain).text] += 1
    return None


def _ends(text: str) -> Counter[str]:
    return Counter(re.findall(r"</[a-zA-Z][^\s>]*", text))


def _bare(text: str) -> str:
    """The text without tags and without signs of notes."""
    return " ".join(unescape(re.sub(r"<sup.*?</sup>|<[^<>]*>", "", text)).split())


def _page(rng: random.Random) -> str:
    parts = [_filled(structure, rng) for structure in rng.sample(STRUCTURES, rng.randrange(3, 8))]
    return rng.choice(FRAMES).format("\n".join(parts))


def _filled(structure: str, rng: random.Random) -> str:
    """The structure with sentences."""

    def sentence(found: re.Match[str]) -> str:
        text = rng.choice(pairs("test"))[0]
        return _tagged(text, rng) if found[0] == "{s}" else text.rstrip(".")

    return re.sub(r"\{[st]\}", sentence, structure)


def _tagged(text: str, rng: random.Random) -> str:
    words = text.split()
    for _ in range(rng.randrange(1, 3)):
        first = rng.randrange(len(words))
        last = min(first + rng.randrange(3), len(words) - 1)
        if any("<" in word for word in words[first : last + 1]):
            continue
        opening, closing = rng.choice(TAGS)
        words[first] = opening + words[first]
        words[last] += closing
    return " ".join(words)


def _page_fault(page: str, translator: Translator, alike: Counter[bool]) -> str | None:
    document = HtmlDocument(page)
    try:
        found = document.rebuilt(translator.translate(document.blocks))
    except UserError as error:
        return f"refused: {error}: {page[:300]!r}"
    blocks = re.compile(
        r"<(p|li|h1|h2|td|dd|figcaption)\b[^>]*>((?:(?!</?\1\b|<br|<table|<ul|<div).)*?)</\1>", re.DOTALL
    )
    both = list(zip(blocks.finditer(page), blocks.finditer(found), strict=True))
    plain = translator.translate([_bare(before[2]) for before, _ in both])
    for (before, after), translation in zip(both, plain, strict=True):
        if "<" in before[2] and "<code" not in before[2]:
            alike[_bare(after[2]) == " ".join(translation.text.split())] += 1
    return None if _ends(found) == _ends(page) else f"end tags: {page[:300]!r}"
