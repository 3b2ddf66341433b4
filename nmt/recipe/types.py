"""The types of a recipe: one frozen, strict model per section, with each field documented.

Constructors elsewhere take plain values and check them again. Another package adds a model family by an entry point of
the group `nmt.families` that names its model class, whose attribute `section` is the type of its recipe section; and an
attention of the recurrent family by one of the group `nmt.attentions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Literal, Union

from pydantic import Field

from nmt.errors import RunError
from nmt.recipe.document import Key
from nmt.recipe.section import Beam, Count, Layers, NotNegative, Positive, Probability, Section, Tokens, Updates, Width

_FILES = re.compile(r".*,.*|.*\.(tsv|csv|tmx|jsonl|json|parquet)(\.gz)?", re.DOTALL)

_PLUGINS = entry_points()
_BUILT_IN = (each.name for each in iter_modules([str(Path(__file__).parents[1] / "models" / "attentions")]))  # no torch
_ATTENTIONS = (*sorted(_BUILT_IN), "none", *sorted(_PLUGINS.select(group="nmt.attentions").names))
if TYPE_CHECKING:
    Attention = str
else:
    Attention = Literal[_ATTENTIONS]


MOST_TOKENS = 1 << 24
"""Positions in all batches of an update, which are in memory together."""


class Data(Section):
    """Where the sentence pairs come from, and which are left out of training."""

    source: str = "de"
    """Language translated from: a column's name or a language code."""
    target: str = "en"
    """Language translated into."""
    corpus: str | None = None
    """A data set on the Hugging Face Hub, a local folder of the same layout, or `builtin`; null if the splits name
    files."""
    configuration: str | None = None
    """The configuration of a Hub data set, such as `de-en` of opus100."""
    revision: str | None = None
    """A commit or tag of the Hub data set, by default the newest; the run records the commit that was loaded."""
    train: str | list[str] | None = None
    """With a corpus: the name of its split (by default `train`). Without: files to concatenate, each `SOURCE,TARGET`
    (two text files), or one .tsv, .csv, .tmx, .jsonl or .parquet file; .gz is read transparently."""
    valid: str | list[str] | None = None
    """Like `train`; by default the split called validation, valid, val or dev, or else pairs held out of training."""
    test: str | list[str] | None = None
    """Like `train`; by default the split called test. A run without a test set is scored on named files only."""
    held_out: Count = 1000
    """Pairs held out of the shuffled training split if there is no validation split; at most a twentieth of it."""
    offline: Literal["error", "builtin"] = "error"
    """If the Hub cannot be reached and there is no cached copy: stop, or train on the built-in corpus and say so."""
    errors: Literal["strict", "replace"] = "strict"
    """Invalid UTF-8 in training or evaluation text is an error with file:line, or is replaced by U+FFFD and counted."""
    max_words: Count = 150
    """Training pairs with more whitespace words than this on either side are left out."""
    max_ratio: Positive | None = 4.0
    """Training pairs of which one side has more words than this factor times the other's, plus 5, are left out; null
    keeps them."""
    duplicates: Literal["keep", "drop"] = "drop"
    """Whether training pairs that occurred before are left out."""
    overlap: Literal["keep", "drop", "either"] = "drop"
    """Whether training pairs whose source is in the test set are left out; `either` leaves out those whose target is,
    too."""
    extra: list[str] = []  # noqa: RUF012  # pydantic copies it
    """Files whose pairs are added to the training split and cleaned with it, each `SOURCE,TARGET` or one .tsv, .csv,
    .tmx, .jsonl or .parquet file."""
    in_memory: Count = 1_000_000
    """Most training pairs, before cleaning, whose text and token ids are held in memory; those of a larger corpus stay
    in the cache. The result is the same, except that a vocabulary is learned from at most 40 MB of text in the
    cache."""
    cache: str = "cache"
    """Folder for what is derived from corpora larger than `in_memory`: cleaned text, vocabularies, token ids; written
    once and shared by all runs on the same text. It takes about three times the space of the text (four with
    `placeholders`) and may be deleted: a
    run that needs it writes it again."""
    concatenation: Count = 1
    """Most sentences concatenated into one example: in every epoch the training pairs are shuffled and concatenated k
    at a time, k drawn evenly from 1 to this; those of validation once (Kondo et al. 2021, arXiv:2104.08478). 1 for
    none."""
    placeholders: bool = False
    """Whether the model learns to copy stand-ins: in training and validation, numbers, addresses and the like that both
    sides of a pair have become ⟦1⟧ to ⟦8⟧ on both, and so does one word that both sides have in some pairs. Translation
    then sets such spans aside by stand-ins. The text of the test set is scored as it is."""

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """Two languages; splits are names of a corpus or files without one; Hub keys for data sets of the Hub."""
        if self.source == self.target:
            yield ("target",), "another language than data.source"
        splits = {"train": self.train, "valid": self.valid, "test": self.test}
        named = {
            split: [value] if isinstance(value, str) else value for split, value in splits.items() if value is not None
        }
        for split, names in named.items():
            if self.corpus is None and not (names and all(map(_FILES.fullmatch, names))):
                yield (split,), "SOURCE,TARGET or .tsv, .csv, .tmx, .jsonl, .parquet files, as data.corpus is null"
            if self.corpus is not None and (isinstance(splits[split], list) or _FILES.fullmatch(names[0])):
                yield (split,), "the name of a split of data.corpus; to use files set data.corpus=null"
        if self.corpus is None and self.train is None:
            yield ("train",), "files to train on, or a data.corpus"
        for key, value in (("configuration", self.configuration), ("revision", self.revision)):
            if self.corpus in (None, "builtin") and value is not None:
                yield (key,), "null, as data.corpus names no data set of the Hub"


class Vocabulary(Section):
    """The SentencePiece model, trained on the training split alone."""

    type: Literal["unigram", "bpe"] = "unigram"
    """SentencePiece algorithm."""
    size: Annotated[int, Field(ge=8, le=10**6)] = 6000
    """Pieces, including four control pieces and 256 bytes."""
    joint: bool = True
    """One vocabulary for both languages, or one for each."""
    from_run: str | None = Field(default=None, alias="from")
    """A run folder, or a SentencePiece .model file for both languages, whose vocabulary is used; null trains one."""
    sampling: NotNegative = 0.0
    """Subword sampling (Kudo 2018, arXiv:1804.10959, section 3.2): the exponent alpha with which a segmentation is
    drawn from the best 16, anew in every epoch. 0 always uses the best one. Unigram only."""

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """Only the unigram model can sample."""
        if self.sampling > 0 and self.type != "unigram":
            yield ("sampling",), "0, as only vocabulary.type unigram can sample"


class RecurrentEncoder(Section):
    layers: Layers = 1
    """Stacked recurrent layers."""
    hidden: Width = 256
    """Units per direction."""
    direction: Literal["both", "forward", "backward", "none"] = "both"
    """In which order the source is read: both ways, from the left, from the right (the reversed source of Sutskever et
    al. 2014), or none: a bag of words, the mean of a linear map of each embedding."""
    residual: bool = False
    """Adds each layer's input to its output, from the second layer up."""


class RecurrentDecoder(Section):
    layers: Layers = 1
    """Stacked recurrent layers; attention queries with the bottom layer and gives its context to all (GNMT)."""
    hidden: Width = 512
    """Units."""
    residual: bool = False
    """Adds each layer's input to its output, from the second layer up."""


class Recurrent(Section):
    """A recurrent encoder-decoder; its attention decides what the decoder sees of the source."""

    family: Literal["recurrent"] = "recurrent"
    """The architecture; each has keys of its own."""
    cell: Literal["tanh", "gru", "lstm"] = "lstm"
    """Recurrent cell of encoder and decoder."""
    attention: Attention = "bahdanau"
    """How the decoder weighs the encoder states: additive attention (bahdanau), Luong's dot product in the same wiring
    (dot), or not at all (none: it is given one thought vector)."""
    thought_vector: Literal["every_step", "initial_state"] = "every_step"
    """With attention `none`, where the decoder is given the thought vector: at every step or in its initial state
    only."""
    embedding: Width = 256
    """Width of the token embeddings."""
    attention_size: Width = 256
    """Width in which additive attention compares query and slot."""
    bottleneck: Width | None = None
    """With attention `none`, width of the thought vector after a linear bottleneck projection; null leaves it as wide
    as an encoder state."""
    encoder: RecurrentEncoder = RecurrentEncoder()
    decoder: RecurrentDecoder = RecurrentDecoder()
    forget_bias: float = 1.0
    """Initial bias of the LSTM's forget gate."""
    dropout: Probability = 0.3
    """On embeddings, between layers, on encoder states and before the output."""
    tied: bool = True
    """One embedding matrix for decoder input and output, and for the source too when the vocabulary is joint."""

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """A thought vector excludes attention; a bag of words has no recurrence to stack."""
        if self.attention != "none" and self.bottleneck is not None:
            yield ("bottleneck",), "null, as only attention none has a thought vector"
        if self.attention != "none" and self.thought_vector != "every_step":
            yield ("thought_vector",), "every_step, as only attention none has a thought vector"
        if self.encoder.direction == "none" and self.encoder.layers > 1:
            yield ("encoder", "layers"), "1, as model.encoder.direction none is a bag of words"


class TransformerStack(Section):
    layers: Layers = 3
    """Layers."""


class Transformer(Section):
    """A pre-norm Transformer with sinusoidal positions."""

    family: Literal["transformer"] = "transformer"
    """The architecture; each has keys of its own."""
    width: Width = 256
    """Width of embeddings and layers."""
    heads: Width = 4
    """Attention heads; they divide the width."""
    feed_forward: Width = 1024
    """Inner width of the feed-forward layers."""
    encoder: TransformerStack = TransformerStack()
    decoder: TransformerStack = TransformerStack()
    dropout: Probability = 0.2
    """On embeddings and on the output of every sublayer."""
    attention_dropout: Probability = 0.0
    """On attention weights."""
    tied: bool = True
    """One embedding matrix for decoder input and output, and for the source too when the vocabulary is joint."""

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """Heads divide the width."""
        if self.width % self.heads:
            yield ("heads",), f"a divisor of model.width, {self.width}"


def _plugin(point: EntryPoint) -> type[Section]:
    try:
        section: type[Section] = point.load().section
    except Exception as error:  # code of another package
        raise RunError(f"model family {point.name} cannot be loaded from {point.value}: {error}") from error
    return section


FAMILIES: dict[str, type[Section]] = {
    "recurrent": Recurrent,
    "transformer": Transformer,
}
FAMILIES |= {
    point.name: _plugin(point) for point in _PLUGINS.select(group="nmt.families") if point.name not in FAMILIES
}
"""The recipe sections of all model families."""
if TYPE_CHECKING:
    Model = Recurrent | Transformer
else:
    Model = Union[tuple(FAMILIES.values())]  # noqa: UP007  # of types known only at run time


class Training(Section):
    """How the model is trained. Training ends at the first of the limits updates, epochs and minutes."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Seed of initial weights, order of batches, dropout and sampling."""
    updates: Updates | None = None
    """Number of optimizer steps."""
    epochs: Annotated[int, Field(ge=1, le=10**6)] | None = None
    """Number of passes over the corpus."""
    minutes: Annotated[float, Field(gt=0, le=10**6)] | None = None
    """Time to spend; turned into a number of updates at the start by timing the first few, and stored with the run."""
    batch_tokens: Tokens = 2048
    """Padded positions in a batch, source or target, whichever is more. Pairs that are longer alone are left out of
    training, and counted."""
    accumulate: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Batches per update."""
    concatenation_growth: Annotated[int, Field(ge=0)] = 0
    """Epochs over which the most sentences of an example grow evenly from 1 to `data.concatenation` (a curriculum:
    Bengio et al. 2009); 0 draws from the whole range from the start."""
    learning_rate: Annotated[float, Field(gt=0, le=1000)] = 1e-3
    """Peak learning rate of AdamW."""
    betas: tuple[Probability, Probability] = (0.9, 0.98)
    """AdamW's decay rates of the two moments."""
    weight_decay: NotNegative = 0.0
    """AdamW's decoupled weight decay."""
    schedule: Literal["constant", "inverse_sqrt", "cosine", "plateau"] = "cosine"
    """Learning rate after warm-up."""
    warmup: Annotated[int, Field(ge=0)] = 200
    """Updates over which the learning rate rises linearly from 0; at most a tenth of the run."""
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """With `plateau`: factor on the learning rate after `plateau_patience` validations without a better score."""
    plateau_patience: Count = 2
    """With `plateau`: validations without a better score before the learning rate falls."""
    label_smoothing: Probability = 0.1
    """Share of the target probability spread evenly over the vocabulary."""
    clip: Positive | None = 1.0
    """Largest norm of the gradient; null never clips."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """fp32, or bf16 autocast; auto is bf16 on hardware that supports it."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """auto is CUDA if available, else MPS, else the CPU."""
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """CPU threads; 0 is torch's default. The number is part of the run, as rounding depends on it."""
    loaders: Annotated[int, Field(ge=0, le=16)] = 0
    """Threads that make the next batches during an update; one is enough. Batches do not depend on the number."""
    validate_every: Annotated[int, Field(ge=0, le=10**9)] = 0
    """Updates between validations; 0 makes ten in the run, or one a minute if it has fewer minutes."""
    valid_beam: Beam = 1
    """Beam of the decoding that validation scores by BLEU."""
    save_every: Updates = 500
    """Updates between checkpoints."""
    keep: Annotated[int, Field(ge=2)] = 2
    """Newest checkpoints kept."""
    select: Literal["bleu", "loss"] = "bleu"
    """The validation score that chooses the best weights."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Validations without a better score after which training ends; 0 never ends early."""
    average: Annotated[int, Field(ge=0)] = 0
    """Checkpoints, the last weights included, whose mean competes with the best weights when training ends; 0 for
    none."""
    init_from: str | None = None
    """A run folder or a bundle whose weights and vocabulary training starts from; see `nmt finetune`."""
    mix: Probability = 0.0
    """Share of the training pairs that are drawn from the corpus of `init_from`, so that it is not forgotten."""
    tensorboard: bool = False
    """Also writes TensorBoard event files (extra `tensorboard`)."""

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """Training has a limit, and an update one on its tokens."""
        if self.updates is None and self.epochs is None and self.minutes is None:
            yield ("updates",), "a limit here, in training.epochs or in training.minutes"
        if self.mix and self.init_from is None:
            yield ("mix",), "0, as training.init_from names no run whose corpus could be mixed in"
        if self.accumulate * self.batch_tokens > MOST_TOKENS:
            yield ("accumulate",), f"at most {MOST_TOKENS:,} tokens in an update, training.batch_tokens in each batch"


class Search(Section):
    """Beam search; commands may override these values."""

    beam: Beam = 5
    """Hypotheses kept per sentence; 1 is greedy search."""
    length_penalty: NotNegative = 0.6
    """Alpha of Wu et al. 2016 (arXiv:1609.08144, equation 14); 0 compares plain log-probabilities."""
    min_length: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Fewest tokens of an output."""
    max_ratio: Annotated[float, Field(gt=0, le=100)] = 2.0
    """An output has at most this many times the tokens of its source, plus `max_extra`."""
    max_extra: Annotated[int, Field(ge=0, le=10_000)] = 20
    """See `max_ratio`."""
    batch_tokens: Tokens = 4096
    """Padded source positions in a batch, not counting the beam."""
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    """bf16 is faster on hardware that supports it (auto), but a translation may then depend on its batch."""


class Recipe(Section):
    """One experiment."""

    name: str | None = None
    """Name of the run folder under `runs/`; by default that of the file."""
    data: Data = Data()
    vocabulary: Vocabulary = Vocabulary()
    model: Annotated[Model, Field(discriminator="family")] = Recurrent()
    training: Training = Training()
    search: Search = Search()

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """Those of all sections, and a name that is no folder name."""
        if self.name is not None and not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", self.name):
            yield (
                ("name",),
                "at most 100 of a-z A-Z 0-9 . _ - and no dot in front: set name in the recipe or as name=...",
            )
        for name, section in self:
            if isinstance(section, Section):
                yield from (((name, *key), expected) for key, expected in section.conflicts())
