"""Handlers of requests: texts are split into sentences, translated, and put together again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from nmt.atomic import JsonObject
from nmt.documents.document import Document, PlainText
from nmt.documents.html import HtmlDocument
from nmt.inference.translator import Translation, combine
from nmt.serving import languages
from nmt.serving.http_parsing import HttpError
from nmt.serving.languages import Guess
from nmt.serving.validation import TranslationRequest, unavailable

if TYPE_CHECKING:
    from nmt.serving.batcher import Batcher, Job
    from nmt.serving.models import Models, ServedModel
    from nmt.text.passage import Passage

T = TypeVar("T")
LONG_ENOUGH = 40
"""Characters from which on the language of a text is detected from that text alone."""
SHORT = 2000
"""Characters that are split and joined on the event loop; for longer texts a thread does it."""


@dataclass
class Item:
    """One text of a request."""

    text: str
    guess: Guess | None
    """Its detected language, if the request has source ``auto``."""
    document: Document
    model: ServedModel | None = None
    """None for a text that is already in the target language."""
    passages: list[Passage] = field(default_factory=list)
    """The blocks of the document; none if it has nothing to translate."""
    jobs: list[Job] = field(default_factory=list)
    """Those of all sentences."""
    translations: list[Translation] = field(default_factory=list)
    """Those of all sentences, in order."""

    def choices(self, alternatives: int) -> list[str]:
        """The best translation of the text, and at most so many alternatives."""
        if not self.jobs:
            return [self.text]
        found = iter(self.translations)
        blocks = [combine(passage, list(islice(found, len(passage.sentences)))) for passage in self.passages]
        return list(
            dict.fromkeys(
                self.document.rebuilt([_alternative(block, choice) for block in blocks])
                for choice in range(alternatives + 1)
            )
        )


async def translate(request: TranslationRequest, models: Models, batcher: Batcher) -> JsonObject:
    """The response to a request to translate."""
    items = await _off_loop_if_long(request, _items, request, models)
    found = iter(await batcher.run([job for item in items for job in item.jobs]))
    for item in items:
        item.translations = list(islice(found, len(item.jobs)))
    return await _off_loop_if_long(request, _response, request, items)


async def translate_document(
    document: Document, source: str, request: TranslationRequest, models: Models, batcher: Batcher
) -> str:
    """The translation of a document; ``source`` is its text."""
    (item,) = await asyncio.to_thread(_items_of, [source], [document], request, models)
    item.translations = await batcher.run(item.jobs)
    return (await asyncio.to_thread(item.choices, 0))[0]


async def inspect(request: TranslationRequest, kind: str | None, models: Models, batcher: Batcher) -> JsonObject:
    """The response to a request to interpret the translation of one sentence."""
    (item,) = _items(request, models)
    if item.model is None:
        raise unavailable(request.target, request.target)
    (interpretation,) = await batcher.run([item.model.interpretation_job(item.text, kind)])
    result: JsonObject = interpretation.as_json()
    return result


def detect(text: str, models: Models) -> list[JsonObject]:
    """The languages that a text may be in, most probable first."""
    return [guess._asdict() for guess in languages.identify(text, models.codes)]


async def _off_loop_if_long(request: TranslationRequest, function: Callable[..., T], *arguments: Any) -> T:
    """Calls the function: directly for a short request, in a thread for a long one."""
    if sum(map(len, request.texts)) <= SHORT:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


def _items(request: TranslationRequest, models: Models) -> list[Item]:
    documents = [HtmlDocument(text) if request.html else PlainText(text) for text in request.texts]
    return _items_of(request.texts, documents, request, models)


def _items_of(
    texts: Sequence[str], documents: Sequence[Document], request: TranslationRequest, models: Models
) -> list[Item]:
    guesses = (
        _guesses(documents, models.sources_of(request.target))
        if request.source == languages.AUTO
        else [None] * len(documents)
    )
    return [
        _item(text, document, guess, request, models)
        for text, document, guess in zip(texts, documents, guesses, strict=True)
    ]


def _guesses(documents: Sequence[Document], candidates: list[str]) -> Sequence[Guess | None]:
    """The language of each text; for short texts, of all texts together, which often belong to one post."""
    proses = [" ".join(document.blocks) for document in documents]
    together = languages.detect("\n".join(proses), candidates)[0]
    return [languages.detect(prose, candidates)[0] if len(prose) >= LONG_ENOUGH else together for prose in proses]


def _item(text: str, document: Document, guess: Guess | None, request: TranslationRequest, models: Models) -> Item:
    source = guess.language if guess else request.source
    if source == request.target:
        return Item(text, guess, document)
    if (model := models.find(source, request.target, request.model)) is None:
        if request.model is None:
            raise unavailable(source, request.target)
        raise HttpError(400, f"{request.model} is not a model from {source} to {request.target}")
    passages = [model.passage(block) for block in document.blocks]
    jobs = [
        model.translation_job(sentence, request.alternatives, request.details or request.html)
        for passage in passages
        for sentence in passage.sentences
    ]
    return Item(text, guess, document, model, passages, jobs)


def _response(request: TranslationRequest, items: list[Item]) -> JsonObject:
    """Every value of the response has the shape of the request: one value, or a list with one for each text."""
    choices = [item.choices(request.alternatives) for item in items]
    parts: dict[str, list[Any]] = {"translatedText": [best for best, *_ in choices]}
    if request.source == languages.AUTO:
        parts["detectedLanguage"] = [item.guess._asdict() for item in items if item.guess]
    if request.alternatives:
        parts["alternatives"] = [others for _, *others in choices]
    if request.details:
        parts["details"] = [list(_details(item)) for item in items]
    return {name: values if request.many else values[0] for name, values in parts.items()}


def _details(item: Item) -> Iterator[JsonObject]:
    """The scores, pieces and their places in the texts, alignment and warnings of each sentence."""
    for translation in item.translations:
        spans = {"source_spans": translation.source_spans, "spans": translation.spans}
        yield {"model": item.model.name if item.model else "", **translation.as_json(), **spans}


def _alternative(block: Translation, choice: int) -> Translation:
    """The block with its alternative number ``choice``, if it has one; 0 is the best translation."""
    if not 0 < choice <= len(block.alternatives):
        return block
    text, score = block.alternatives[choice - 1]
    return Translation(block.source, text, score)
