"""The models that are served, by name and by language pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nmt.atomic import JsonObject
from nmt.errors import Log, UserError
from nmt.runs import files
from nmt.runs.run_folder import Run
from nmt.serving import languages
from nmt.serving.batcher import Compute, Job
from nmt.text import detection
from nmt.text.passage import Passage

if TYPE_CHECKING:
    from nmt.inference.open import Engine
    from nmt.inference.translator import Translator
    from nmt.search import SearchSettings


@dataclass(frozen=True)
class Computing:
    """How models compute: arguments of `open_translator`."""

    engine: Engine = "torch"
    device: str = "cpu"
    workers: int | None = None
    precision: str | None = None
    batch_tokens: int | None = None
    longest: int = 2048
    """Source tokens of the longest sentence that is translated as one job; of a longer one, each part is a job."""


class ServedModel:
    """A run with its loaded model. Its methods are called by one thread at a time; `close` ends its processes."""

    computing = Computing()
    _passage: Callable[[str], Passage] = staticmethod(Passage.of_sentences)

    def __init__(
        self, run: Run, name: str, longest_output: int, computing: Computing = Computing(), log: Log = lambda _: None
    ) -> None:
        """``longest_output`` bounds the target tokens of a sentence, whatever the recipe allows."""
        self.run, self.name, self.longest_output, self.computing = run, name, longest_output, computing
        self.source, self.target = run.recipe.data.source, run.recipe.data.target
        try:
            search = self._search(1, False)
        except UserError:
            raise
        except ValueError as error:  # the words of the search, to which --output is max_tokens
            raise UserError(f"{run.path}: {error}; choose another --output") from error
        from nmt.inference.open import open_translator, passages
        from nmt.inference.translator import TorchTranslator

        opened = open_translator(
            run,
            computing.engine,
            device=computing.device,
            workers=computing.workers,
            precision=computing.precision,
            batch_tokens=computing.batch_tokens,
            search=search,
            split="never",
            protect=True,
            log=lambda line: log(f"{name}: {line}"),
        )
        self._passage = passages(run, "auto")
        self._opened: Translator = opened.__enter__()
        self._interpretable = opened if isinstance(opened, TorchTranslator) else None

    def close(self) -> None:
        """Frees the processes of the translator, if it has any."""
        self._opened.__exit__(None, None, None)

    def passage(self, text: str) -> Passage:
        """The text as sentences, each of which is a job, and the gaps between them."""
        passage, longest = self._passage(text), self.computing.longest
        if all(self.tokens(sentence) <= longest for sentence in passage.sentences):
            return passage
        from nmt.inference.translator import split

        spans = []
        for start, sentence in zip(passage.starts, passage.sentences, strict=True):
            whole = self.tokens(sentence) <= longest
            for part in [sentence] if whole else split(sentence, longest - 1, lambda text: self.tokens(text) - 1):
                if part.strip():
                    spans.append((start + len(part) - len(part.lstrip()), start + len(part.rstrip())))
                start += len(part)
        return Passage(text, spans)

    def tokens(self, sentence: str) -> int:
        """The number of source tokens of a sentence, with its end."""
        return len(self.run.vocabularies[0].encode(sentence)) + 1

    def translation_job(self, sentence: str, alternatives: int, details: bool) -> Job:
        """The job of translating a sentence."""
        return Job(self._translate(alternatives, details), sentence, self.tokens(sentence))

    def interpretation_job(self, sentence: str, kind: str | None) -> Job:
        """The job of interpreting a sentence; occlusion reads it once for each of its tokens."""
        if self._interpretable is None:
            raise UserError(
                f"{self.name} is translated by an export or by other processes, which cannot be looked into;"
                " for that the server is started with --engine torch and without --workers"
            )
        tokens = self.tokens(sentence)
        once = kind in ("attention", "gates") or tokens > self._opened.limit
        return Job(self._interpret(kind), sentence, tokens if once else tokens**2)

    @lru_cache  # noqa: B019 - models are served as long as the process lives
    def _translate(self, alternatives: int, details: bool) -> Compute:
        """Translates a batch of sentences: one function for equal arguments, so that their jobs share batches."""
        translator = self._opened.with_search(self._search(alternatives + 1, details))
        return lambda sentences, cancelled: translator.until(cancelled).translate(sentences)

    @lru_cache  # noqa: B019
    def _interpret(self, kind: str | None) -> Compute:
        """Interprets sentences one after the other."""
        from nmt.interpret.interpretation import interpret

        assert self._interpretable is not None
        translator = self._interpretable.with_search(self._search(1, True))
        return lambda sentences, cancelled: [
            interpret(translator.until(cancelled), sentence, kind, self.name) for sentence in sentences
        ]

    def _search(self, nbest: int, keep_weights: bool) -> SearchSettings:
        """The run's settings; the beam keeps at least as many hypotheses as there are to give."""
        beam = max(self.run.recipe.search.beam, nbest)
        return self.run.search_settings(
            beam=beam, nbest=nbest, keep_weights=keep_weights, max_tokens=self.longest_output
        )

    def as_json(self) -> JsonObject:
        """The model as the page lists it; it has no kinds if it cannot be interpreted."""
        description = self.run.description
        about = {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "title": description.title,
            "kinds": list(description.interpretations) if self._interpretable else [],
        }
        return about | {"notes": list(self.run.notes)}


class Models:
    """All served models. Of several for one language pair, a request gets the first unless it names another."""

    def __init__(self, served: Sequence[ServedModel]) -> None:
        self.all = list(served)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for model in self.all:
            model.close()

    @classmethod
    def load(
        cls,
        paths: Sequence[Path],
        longest_output: int,
        computing: Computing = Computing(),
        log: Log = lambda _: None,
    ) -> Models:
        """Loads runs, each named after its folder or bundle.

        A context manager, which ends the processes of the models.
        """
        names = [path.resolve().name.removesuffix(files.SUFFIX) for path in paths]
        for name in names:
            if names.count(name) > 1:
                raise UserError(
                    f"{name}: two runs of this name; requests name a model by its run folder, so rename one"
                )
        runs = [Run(path) for path in paths]
        for run in runs:
            run.check()  # before the first model is loaded, which takes seconds
        models = cls([])
        with ExitStack() as failed:
            failed.enter_context(models)
            for run, name in zip(runs, names, strict=True):
                models.all.append(ServedModel(run, name, longest_output, computing, log))
            models._warm_up()
            failed.pop_all()
        return models

    def _warm_up(self) -> None:
        """Translates and detects once, so that the first request does not wait for lazy initialisation."""
        for model in self.all:
            compute, text, _ = model.translation_job("a", 0, False)
            compute([text] * (model.computing.workers or 1), lambda: False)
        for candidates in (self.codes, *(self.sources_of(model.target) for model in self.all)):
            languages.detect("a", candidates)
        detection.ranked("a")

    @cached_property
    def sources(self) -> list[str]:
        """Codes of the source languages, in the order of the command line."""
        return list(dict.fromkeys(each.source for each in self.all))

    @cached_property
    def codes(self) -> list[str]:
        """Codes of all languages, sources first."""
        return list(dict.fromkeys([*self.sources, *(each.target for each in self.all)]))

    def targets(self, source: str) -> list[str]:
        """The target languages of a source."""
        return list(dict.fromkeys(each.target for each in self.all if each.source == source))

    def sources_of(self, target: str) -> list[str]:
        """The candidates of detection for texts into this language: its sources, then the language itself."""
        return [
            *dict.fromkeys(each.source for each in self.all if each.target == target and each.source != target),
            target,
        ]

    def find(self, source: str, target: str, name: str | None = None) -> ServedModel | None:
        """The first model of a pair, or the named one if it translates that pair."""
        return next(
            (each for each in self.all if (each.source, each.target) == (source, target) and name in (None, each.name)),
            None,
        )

    def languages(self) -> list[JsonObject]:
        """All languages as clients expect them; a language that is only a target has no targets."""
        return [{"code": code, "name": languages.name(code), "targets": self.targets(code)} for code in self.codes]
