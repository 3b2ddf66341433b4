"""From what a client asks to what it is told: texts taken apart, translated sentence by sentence, and put together again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from nmt.serving import languages
from nmt.serving.http_parsing import HttpError
from nmt.serving.languages import Guess
from nmt.serving.markup import Markup
from nmt.serving.parameters import Asked, unavailable
from nmt.serving.passages import Plain

if TYPE_CHECKING:
    from nmt.inference.translator import Translation
    from nmt.serving.batcher import Batcher, Work
    from nmt.serving.models import Models, Served

    Document: TypeAlias = Plain | Markup

T = TypeVar("T")
TELLING = 40
"""Characters from which on a text tells its language alone."""
SHORT = 2000
"""Characters that are taken apart and put together at once; more of them would keep others waiting, so a thread does it."""


@dataclass
class Item:
    """One text of a request."""

    text: str
    guess: Guess | None
    """What language it was found to be in, if that was asked."""
    model: Served | None = None
    """None for a text that is in the target language already."""
    document: Document | None = None
    """None for a text in which there is nothing to translate."""
    works: list[Work] = field(default_factory=list)
    found: list[Translation] = field(default_factory=list)

    def translated(self, choice: int = 0) -> str:
        """The text with its best translation, or with the alternatives of that number in the places of all sentences that have so many."""
        if self.document is None:
            return self.text
        texts = (_chosen(found, choice) for found in self.found)
        return self.document.rebuilt(
            [passage.joined(list(islice(texts, len(passage.sentences)))) for passage in self.document.passages]
        )

    def choices(self, alternatives: int) -> list[str]:
        """The text with its best translation, and at most so many others."""
        return list(dict.fromkeys(self.translated(choice) for choice in range(alternatives + 1)))


async def translate(asked: Asked, models: Models, batcher: Batcher) -> dict[str, Any]:
    """The answer to a request to translate."""
    items = await _beside(asked, _items, asked, models)
    found = iter(await batcher.run([work for item in items for work in item.works]))
    for item in items:
        item.found = list(islice(found, len(item.works)))
    return await _beside(asked, _answer, asked, items)


async def inspect(asked: Asked, kind: str | None, models: Models, batcher: Batcher) -> dict[str, Any]:
    """The answer to a request to look at one sentence."""
    (item,) = _items(asked, models)
    if item.model is None:
        raise unavailable(asked.target, asked.target)
    (view,) = await batcher.run([item.model.look(item.text, kind)])
    result: dict[str, Any] = view.as_json()
    return result


def detect(text: str, models: Models) -> list[dict[str, Any]]:
    """The languages that a text may be in, best first."""
    return [guess._asdict() for guess in languages.detect(text, models.codes)]


async def _beside(asked: Asked, do: Callable[..., T], *arguments: Any) -> T:
    """What is to be done for a request: at once if it is small, else in a thread, so that others need not wait for it."""
    if sum(map(len, asked.texts)) <= SHORT:
        return do(*arguments)
    return await asyncio.to_thread(do, *arguments)


def _items(asked: Asked, models: Models) -> list[Item]:
    documents = [Markup(text) if asked.html else Plain(text) for text in asked.texts]
    guesses = (
        _guesses(documents, models.sources_of(asked.target))
        if asked.source == languages.AUTO
        else [None] * len(documents)
    )
    return [
        _item(text, document, guess, asked, models)
        for text, document, guess in zip(asked.texts, documents, guesses, strict=True)
    ]


def _guesses(documents: Sequence[Document], candidates: list[str]) -> Sequence[Guess | None]:
    """The language of each text, told by its prose; that of a short one is told by all of them together, as the texts of one post are."""
    proses = [
        " ".join(sentence for passage in document.passages for sentence in passage.sentences) for document in documents
    ]
    together = languages.detect("\n".join(proses), candidates)[0]
    return [languages.detect(prose, candidates)[0] if len(prose) >= TELLING else together for prose in proses]


def _item(text: str, document: Document, guess: Guess | None, asked: Asked, models: Models) -> Item:
    source = guess.language if guess else asked.source
    if source == asked.target:
        return Item(text, guess)
    if (model := models.find(source, asked.target, asked.model)) is None:
        if asked.model is None:
            raise unavailable(source, asked.target)
        raise HttpError(400, f"{asked.model} is not a model from {source} to {asked.target}")
    sentences = [sentence for passage in document.passages for sentence in passage.sentences]
    if not sentences:
        return Item(text, guess, model)
    return Item(
        text,
        guess,
        model,
        document,
        [model.translation(sentence, asked.alternatives, asked.details) for sentence in sentences],
    )


def _answer(asked: Asked, items: list[Item]) -> dict[str, Any]:
    """Every part of the answer mirrors the shape of what was asked: a value, or a list with one for each text."""
    choices = [item.choices(asked.alternatives) for item in items]
    parts: dict[str, list[Any]] = {"translatedText": [best for best, *_ in choices]}
    if asked.source == languages.AUTO:
        parts["detectedLanguage"] = [item.guess._asdict() for item in items if item.guess]
    if asked.alternatives:
        parts["alternatives"] = [others for _, *others in choices]
    if asked.details:
        parts["details"] = [list(_details(item)) for item in items]
    return {name: values if asked.many else values[0] for name, values in parts.items()}


def _details(item: Item) -> Iterator[dict[str, Any]]:
    """Everything known of each sentence: scores, pieces, alignment, warnings."""
    for found in item.found:
        yield {"model": item.model.name if item.model else "", **found.as_json()}


def _chosen(found: Translation, choice: int) -> str:
    others = [found.text, *(text for text, _ in found.alternatives)]
    return others[choice] if choice < len(others) else found.text
