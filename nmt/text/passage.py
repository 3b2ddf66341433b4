"""A text as the sentences that are translated and the gaps between them, which are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from nmt.text.sentences import split_sentences
from nmt.text.spans import find_spans, prefix_end

_LINES = re.compile(r"(?<=\n)")


class Passage:
    """The sentences of a text, and the gaps around them: line breaks, indents, spaces, bullets and other
    prefixes of lines, and parts without letters."""

    def __init__(self, text: str, spans: Sequence[tuple[int, int]]) -> None:
        """``spans`` are the first and last positions of the sentences, in characters and in order."""
        self.text = text
        self.sentences = [text[start:end] for start, end in spans]
        self.starts = [start for start, _ in spans]
        """Positions of the sentences in the text."""
        begins, ends = [*self.starts, len(text)], [0, *(end for _, end in spans)]
        self.gaps = [text[end:begin] for end, begin in zip(ends, begins, strict=True)]
        """What stands before, between and after the sentences: one more than there are sentences."""

    @classmethod
    def of_sentences(cls, text: str) -> Passage:
        """The sentences of each line."""
        return cls(text, list(_spans(text, _sentences)))

    @classmethod
    def of_lines(cls, text: str) -> Passage:
        """Each line as it is, for a model that was trained on lines of several sentences."""
        return cls(text, list(_spans(text, lambda line: [line])))

    @classmethod
    def whole(cls, text: str) -> Passage:
        """The text as one sentence without gaps, whatever it holds."""
        return cls(text, [(0, len(text))])

    def joined(self, translations: Sequence[str]) -> str:
        """The text with each sentence replaced by its translation."""
        rest = zip(translations, self.gaps[1:], strict=True)
        return self.gaps[0] + "".join(translation + gap for translation, gap in rest)


def _spans(text: str, cut: Callable[[str], Iterable[str]]) -> Iterator[tuple[int, int]]:
    """Where each part with a letter or a digit stands, without the white space around it and the prefix of its line."""
    start = 0
    for line in _LINES.split(text):
        begin = prefix_end(line, len(line) - len(line.lstrip()))
        start += begin
        for part in cut(line[begin:]):
            if any(map(str.isalnum, part)):
                yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
            start += len(part)


def _sentences(line: str) -> Iterator[str]:
    """The sentences of a line; none ends inside a span that must survive, such as code with a full stop."""
    inside = {at for span in find_spans(line) for at in range(span.start + 1, span.end)}
    held, end = "", 0
    for part in split_sentences(line):
        held, end = held + part, end + len(part)
        if end not in inside:
            yield held
            held = ""
