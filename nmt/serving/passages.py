"""A text as sentences to translate and everything between them, which is kept: line breaks, indents, spaces, and what holds no letters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+(?=\S)|[。！？][」』”’]*")  # noqa: RUF001 - the full stops of Chinese and Japanese are meant
"""Where a sentence may end: what is scanned begins behind a mark, so that hostile lines take linear time."""
_WORD = re.compile(r"\w{0,6}$")
_ABBREVIATION = re.compile(
    r"abb|abs|art|bd|bspw|bzgl|bzw|ca|dr|engl|evtl|fa|fig|fr|frl|ggf|hl|hr|inkl|ing|jh|kap|lat|max|min|mio|mrd|nr|phil|prof|rd|s|sog|st|std|str|tel|"
    r"vgl|vol|apr|aug|dec|dez|dept|est|etc|feb|gen|gov|inc|jan|jr|jul|jun|lt|ltd|mar|mme|mlle|mr|mrs|ms|mt|nov|oct|okt|op|pp|rep|rev|sen|sep|sept|sr|vs"
)
"""Words whose full stop mostly ends no sentence, in German, English and French."""


class Passage:
    """One text, taken apart."""

    def __init__(self, text: str) -> None:
        self.sentences: list[str] = []
        gaps: list[list[str]] = [[]]
        for part in _parts(text):
            if any(map(str.isalnum, part)):
                begin, end = len(part) - len(part.lstrip()), len(part.rstrip())
                gaps[-1].append(part[:begin])
                self.sentences.append(part[begin:end])
                gaps.append([part[end:]])
            else:
                gaps[-1].append(part)
        self._gaps = ["".join(gap) for gap in gaps]

    def joined(self, translations: Sequence[str]) -> str:
        """The text with a translation in the place of each sentence."""
        rest = zip(translations, self._gaps[1:], strict=True)
        return self._gaps[0] + "".join(translation + gap for translation, gap in rest)


class Plain:
    """A text that is one passage; `Markup` has several."""

    def __init__(self, text: str) -> None:
        self.passages = [Passage(text)]

    def rebuilt(self, texts: Sequence[str]) -> str:
        """The text of the passage."""
        (text,) = texts
        return text


def _parts(text: str) -> Iterator[str]:
    """Sentences, with the spaces and line ends behind them; together they are the text."""
    for line in re.split(r"(?<=\n)", text):
        start = 0
        for found in _END.finditer(line):
            if not _goes_on(found):
                yield line[start : found.end()]
                start = found.end()
        yield line[start:]


def _goes_on(end: re.Match[str]) -> bool:
    """Whether the sentence goes on behind a mark: before a small letter, and after the full stop of an initial, an ordinal or an abbreviation."""
    line, at = end.string, end.start()
    if line[end.end() : end.end() + 1].islower():
        return True
    word = _WORD.search(line, max(0, at - 6), at)
    return line[at] == "." and word is not None and _shortened(word[0].casefold())


def _shortened(word: str) -> bool:
    return (
        (word.isdigit() and len(word) <= 2)
        or (word.isalpha() and len(word) == 1)
        or bool(_ABBREVIATION.fullmatch(word))
    )
