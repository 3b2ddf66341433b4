"""The models that are served, by name and by language pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.errors import UserError
from nmt.interpret.methods import GATES
from nmt.runs.run_folder import Run
from nmt.serving import languages
from nmt.serving.batcher import Work

if TYPE_CHECKING:
    from nmt.inference.translator import Translation, Translator
    from nmt.interpret.interpretation import Interpretation
    from nmt.recipe.types import Recurrent, Transformer


class Served:
    """A run whose model is loaded. Its methods are called by one thread at a time."""

    def __init__(self, run: Run, name: str, longest_output: int) -> None:
        """No translation of a sentence is longer than ``longest_output`` pieces, whatever the recipe allows."""
        self.run, self.name, self.longest_output = run, name, longest_output
        self.source, self.target = run.recipe.data.source, run.recipe.data.target
        try:
            self._limit = self._translator(1, False).limit
        except UserError:
            raise
        except ValueError as error:  # the words of the search, to which --output is max_tokens
            raise UserError(f"{run.path}: {error}; choose another --output") from error

    def pieces(self, sentence: str) -> int:
        """How long the model finds a sentence, with its end."""
        return len(self.run.vocabularies[0].encode(sentence)) + 1

    def translation(self, sentence: str, alternatives: int, details: bool) -> Work:
        """A sentence to translate."""
        return Work(self._translating(alternatives, details), sentence, self.pieces(sentence))

    def look(self, sentence: str, kind: str | None) -> Work:
        """A sentence to look at; occlusion reads it once for each of its pieces."""
        pieces = self.pieces(sentence)
        return Work(
            self._looking(kind),
            sentence,
            pieces if kind in ("attention", "gates") or pieces > self._limit else pieces**2,
        )

    @lru_cache  # noqa: B019 - models are served as long as the process lives
    def _translating(self, alternatives: int, details: bool) -> Callable[[Sequence[str]], list[Translation]]:
        """What translates a batch of sentences; the same object for the same arguments, so that requests for it can share a batch."""
        return self._translator(alternatives + 1, details).translate

    @lru_cache  # noqa: B019
    def _looking(self, kind: str | None) -> Callable[[Sequence[str]], list[Interpretation]]:
        """What looks at sentences, one after the other."""
        from nmt.interpret.interpretation import interpret

        return lambda sentences: [
            interpret(self._translator(1, True), sentence, kind, self.name) for sentence in sentences
        ]

    def _translator(self, nbest: int, keep_weights: bool) -> Translator:
        """The run's translator; its search keeps at least as many hypotheses as it has to give."""
        from nmt.inference.translator import Translator

        settings = self.run.recipe.search.model_dump()
        settings |= {
            "beam": max(settings["beam"], nbest),
            "nbest": nbest,
            "keep_weights": keep_weights,
            "max_tokens": self.longest_output,
        }
        longest = self.run.metadata["lengths"]["source"]["longest"]
        return Translator(self._model, *self.run.vocabularies, longest=longest, **settings)

    @cached_property
    def _model(self) -> Any:
        from nmt.inference.translator import model_of

        return model_of(self.run, self.run.recipe.search.precision)

    def as_json(self) -> dict[str, Any]:
        """What a page needs to offer the model."""
        recipe = self.run.recipe.model
        kinds = ["occlusion"]
        if recipe.family == "transformer" or recipe.attention != "none":
            kinds.insert(0, "attention")
        if recipe.family == "recurrent" and recipe.cell in GATES and recipe.encoder.direction != "none":
            kinds.append("gates")
        about = {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "title": _title(recipe),
            "kinds": kinds,
        }
        return about | {"notes": list(self.run.notes)}


class Models:
    """All that are served. Of several for one language pair, the first is taken unless a request names another."""

    def __init__(self, served: Sequence[Served]) -> None:
        self.all = list(served)

    @classmethod
    def load(cls, paths: Sequence[Path], longest_output: int) -> Models:
        """Loads runs, each named after its folder."""
        names = [path.resolve().name for path in paths]
        for name in names:
            if names.count(name) > 1:
                raise UserError(
                    f"{name}: two runs of this name; requests and the page tell them apart by the names of their folders, so rename one"
                )
        runs = [Run(path) for path in paths]
        for run in runs:
            run.check()  # what is missing is said before the first model takes its seconds to load
        models = cls([Served(run, name, longest_output) for run, name in zip(runs, names, strict=True)])
        models._warm()
        return models

    def _warm(self) -> None:
        """Does once what the first request for it would have to wait for."""
        for model in self.all:
            compute, text, _ = model.translation("a", 0, False)
            compute([text])
        for candidates in (self.codes, *(self.sources_of(model.target) for model in self.all)):
            languages.detect("a", candidates)

    @cached_property
    def sources(self) -> list[str]:
        """Codes of the languages translated from, in the order of the command line."""
        return list(dict.fromkeys(each.source for each in self.all))

    @cached_property
    def codes(self) -> list[str]:
        """Codes of all languages, sources first."""
        return list(dict.fromkeys([*self.sources, *(each.target for each in self.all)]))

    def targets(self, source: str) -> list[str]:
        """The languages that a source is translated into."""
        return list(dict.fromkeys(each.target for each in self.all if each.source == source))

    def sources_of(self, target: str) -> list[str]:
        """What a text to be translated into this language may be in, when nobody says: that language itself last."""
        return [
            *dict.fromkeys(each.source for each in self.all if each.target == target and each.source != target),
            target,
        ]

    def find(self, source: str, target: str, name: str | None = None) -> Served | None:
        """The model of a pair, or that of a name if it is of the pair."""
        return next(
            (each for each in self.all if (each.source, each.target) == (source, target) and name in (None, each.name)),
            None,
        )

    def languages(self) -> list[dict[str, Any]]:
        """As clients expect them; targets are listed too, though nothing may be translated from them."""
        return [{"code": code, "name": languages.name(code), "targets": self.targets(code)} for code in self.codes]


def _title(recipe: Recurrent | Transformer) -> str:
    """What a page calls a model."""
    if recipe.family == "transformer":
        return "Transformer"
    readers = {
        "none": "thought vector" + (", read once" if recipe.thought_vector == "initial_state" else ""),
        "bahdanau": "attention",
        "dot": "dot-product attention",
    }
    return f"{recipe.cell.upper() if recipe.cell != 'tanh' else 'RNN'}, {readers[recipe.attention]}"
