"""Generated HTML whose every word and tag is known: each has a number, and may come out once only."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import NamedTuple

BLOCKS = ("p", "div", "h1", "h2", "li", "td", "blockquote", "section", "P", "dd", "figcaption", "button", "center")
INLINE = ("b", "i", "em", "a", "span", "STRONG", "u", "small", "font", "mark", "sub", "abbr", "q", "x-tag", "o:p")
KEPT = ("code", "kbd", "pre", "samp", "svg", "textarea")
VOID = ("br", "img", "hr", "wbr", "input", "BR", "img/")
PROLOGUES = (
    *("", "", "<!doctype html>", "<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'a'>\n", '<?xml version="1.0"?>\n'),
    *("<html>", "<!doctype html>\n<html lang=de><head><meta charset=utf-8></head>\n<body onload=x>", "\ufeff"),
    "<body>",
)
BROKEN = (
    *("</p>", "</b>", "</nosuch>", "<b>", "<>", "</>", "<!x>", "<?x?>", "&", "&#0;", "&nosuch;"),
    "<b>{}<i>{}</b>{}</i>",
    "<p>{}<p>{}</span>",
    "<![if !mso]>{}<![endif]>",
)
BETWEEN = (" ", " ", " ", ", ", ". ", "\n  ", " &amp; ", " < ", "&nbsp;", " & ", " 3<5 ")
EPILOGUES = ("", "", "\n", "</body></html>", "</body></html>\n", "</div></html>", "<p>", "<", "</p", "<b x='")


class Known(NamedTuple):
    """A document, and what is in it."""

    text: str
    words: list[str]
    """To be translated."""
    kept: list[str]
    """Words in comments, scripts, attributes and elements that are not translated."""
    tags: list[str]
    """Strings that stand in the tags."""
    paragraphs: list[tuple[str, str]]
    """The start tag of each well-formed paragraph, and its plain text."""


class Generator:
    """One document."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.words: list[str] = []
        self.kept: list[str] = []
        self.tags: list[str] = []
        self.paragraphs: list[tuple[str, str]] = []

    def document(self) -> Known:
        """A document of a few blocks, behind which further ones may stand."""
        rng = self.rng
        parts = []
        for _ in range(rng.choice([1, 1, 1, 2])):
            parts.append(rng.choice(PROLOGUES))
            if rng.random() < 0.3:
                parts.append(f"<title>{self.words_of(2)}</title>")
            parts += [self.block(rng.randrange(4)) for _ in range(rng.randrange(1, 6))]
            parts.append("</body></html>" * (rng.random() < 0.3))
            if rng.random() < 0.3:
                parts.append(self.words_of(3))
        if rng.random() < 0.02:
            parts.append(self.deep(rng.choice([10, 300, 1000])))
        text = "".join(parts) + rng.choice(EPILOGUES)
        return Known(text, self.words, self.kept, self.tags, self.paragraphs)

    def words_of(self, count: int) -> str:
        """Text to translate, with entities and stray signs between the words."""
        words = [f"W{len(self.words) + place}x" for place in range(count)]
        self.words += words
        between = [*self.rng.choices(BETWEEN, k=count - 1), ""]
        return "".join(word + space for word, space in zip(words, between, strict=True))

    def kept_word(self) -> str:
        """A word that is not translated."""
        self.kept.append(f"k{len(self.kept)}x")
        return self.kept[-1]

    def number(self) -> str:
        """A new attribute whose value is a unique number."""
        self.tags.append(f"n{len(self.tags)}x")
        return f"id={self.tags[-1]}"

    def attributes(self) -> str:
        """Some attributes."""
        rng, found = self.rng, [f" {self.number()}"]
        if rng.random() < 0.2:
            quote = rng.choice(["'", '"'])
            found.append(f" {rng.choice(['title', 'ALT', 'placeholder'])} = {quote}{self.words_of(2)}{quote}")
        if rng.random() < 0.3:
            found.append(rng.choice([" hidden", " href='a?b=1&c=2'", ' data-x="<b>"', " onclick='a>b'", " a=b/", "\n"]))
        return "".join(found)

    def block(self, depth: int) -> str:
        """A block, with others in it or with text."""
        rng = self.rng
        name = rng.choice(BLOCKS)
        if rng.random() < 0.3:
            return self.paragraph()
        attributes = self.attributes()
        if depth:
            inside = "".join(self.block(depth - 1) for _ in range(rng.randrange(1, 3)))
        else:
            inside = self.inline(rng.randrange(4))
        end = "" if rng.random() < 0.1 else f"</{name}{rng.choice(['', ' ', chr(10)])}>"
        return f"<{name}{attributes}>{inside}{end}{rng.choice(['', ' ', chr(10)])}"

    def paragraph(self) -> str:
        """A well-formed paragraph whose text is known, with tags around some of its words."""
        start, rng = f"<p {self.number()}>", self.rng
        plain = [f"W{len(self.words) + place}x" for place in range(rng.randrange(2, 12))]
        self.words += plain
        first = rng.randrange(len(plain))
        last = rng.randrange(first, len(plain))
        tags = [(rng.choice(INLINE), self.number()) for _ in range(rng.randrange(1, 4))]
        words = list(plain)
        words[first] = "".join(f"<{name} {number}>" for name, number in tags) + words[first]
        words[last] += "".join(f"</{name}>" for name, _ in reversed(tags))
        self.paragraphs.append((start, " ".join(plain) + "."))
        return f"{start}{' '.join(words)}.</p>"

    def inline(self, depth: int) -> str:
        """Text and inline tags, of which some are not closed, closed twice, or cross."""
        rng = self.rng
        parts: list[str] = []
        makers: list[Callable[[], str]] = [
            lambda: self.words_of(rng.randrange(1, 6)),
            lambda: self.words_of(rng.randrange(1, 6)),
            lambda: self.element(depth),
            lambda: self.empty(),
            lambda: self.left_alone(),
            lambda: self.broken(),
        ]
        for _ in range(rng.randrange(1, 7)):
            parts += [rng.choices(makers, [4, 4, 5, 2, 2, 1])[0](), rng.choice(["", " ", " "])]
        return "".join(parts)

    def element(self, depth: int) -> str:
        """An inline element."""
        name = self.rng.choice(INLINE)
        inside = self.inline(depth - 1) if depth > 0 else self.words_of(2)
        return f"<{name}{self.attributes()}>{inside}</{name}>"

    def empty(self) -> str:
        """An empty element or a comment."""
        if self.rng.random() < 0.3:
            return f"<!-- {self.kept_word()} <b> -->"
        name = self.rng.choice(VOID)
        return f"<{name.strip('/')}{self.attributes()}{' /' * name.endswith('/')}>"

    def left_alone(self) -> str:
        """Something that is not translated."""
        kind = self.rng.randrange(4)
        if kind == 0:
            name = self.rng.choice(KEPT)
            return f"<{name}>{self.kept_word()}</{name}>"
        if kind == 1:
            return f"<script>if (a<b) '{self.kept_word()}</p>'</script>"
        if kind == 2:
            return f"<span translate=no>{self.kept_word()} <span>{self.kept_word()}</span></span>"
        return f"<i class='a notranslate'>{self.kept_word()}</i>"

    def broken(self) -> str:
        """Markup that no standard allows."""
        chosen = self.rng.choice(BROKEN)
        return re.sub(r"\{\}", lambda _: self.words_of(1), chosen)

    def deep(self, levels: int) -> str:
        """Text at some depth, and text behind it."""
        name = self.rng.choice(["b", "div", "span"])
        return f"<{name}>" * levels + self.words_of(3) + f"</{name}>" * levels + f" <p>{self.words_of(2)}</p>"
