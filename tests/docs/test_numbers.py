"""Every measured number of a page is made from docs/results here, and every other number is listed with its origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from nmt.evaluation import evaluation_log
from nmt.lab.studies.archive import unpack
from nmt.runs import demo
from nmt.runs.run_folder import Run
from tests.docs.pages import ROOT
from tests.docs.results import CORE, costs, grown, interval, ladder_bleu, peers, power, read, spread

FAMILIES = ("attention", "thought-vector", "transformer")
MIB = 2**20


def _row(name: str, title: str, *, tokens: bool) -> str:
    run = read("multi30k/scores.json")["runs"][name]
    bleu, chrf, ter = (f"{run[metric]['value']:.2f}" for metric in ("bleu", "chrf", "ter"))
    trained = f" {run['target_tokens'] / 1e6:.1f} M |" if tokens else ""
    return (
        f"| {title} | {run['parameters'] / 1e6:.1f} M | {bleu} | {interval(run['bleu'])} | {chrf} | {ter} |"
        f"{trained} {run['core_minutes']} |"
    )


def _concatenation(system: str) -> str:
    return f"{CORE[system]} {spread(costs(system))}"


def _readme() -> Iterator[str]:
    yield (
        f"costs the thought vector {spread(costs('thought-vector'))[:4]} BLEU "
        f"({spread(costs('thought-vector'))[6:-1]} over three seeds), {_concatenation('attention')} "
        f"and {_concatenation('transformer')}"
    )
    longer = [f"{costs(f'longer-{system}')[0]:.1f}" for system in CORE]
    yield f"With twice the updates the costs are {longer[0]}, {longer[1]} and {longer[2]} BLEU (one seed)."
    one, other = (evaluation_log.read(Run(path))[0].scores.bleu.value for path in demo.BOTH)
    yield f"On its test set the LSTM with attention scores BLEU {one:.1f}, the thought vector {other:.1f}"
    yield _row("de-en", "`de-en.yaml` | LSTM, Bahdanau attention", tokens=False)
    yield _row("de-en-transformer", "`de-en-transformer.yaml` | Transformer", tokens=False)
    yield _row("de-en-thought-vector", "`de-en-thought-vector.yaml` | LSTM, thought vector", tokens=False)
    yield _row("en-de", "`en-de.yaml` | LSTM, Bahdanau attention", tokens=False)


def _scores_page() -> Iterator[str]:
    yield _row("de-en", "`de-en.yaml` (LSTM, Bahdanau attention)", tokens=True)
    yield _row("de-en-transformer", "`de-en-transformer.yaml`", tokens=True)
    yield _row("de-en-thought-vector", "`de-en-thought-vector.yaml`", tokens=True)
    yield _row("en-de", "`en-de.yaml` (LSTM, Bahdanau attention)", tokens=True)
    runs = read("multi30k/scores.json")["runs"]
    yield f"Commit {runs['de-en']['commit']} ({runs['en-de']['commit']} for `en-de.yaml`)"
    yield f"`{runs['de-en']['bleu']['signature']}`"
    europarl = read("europarl/scores.json")["runs"]["de-en"]
    yield (
        f"on {europarl['pairs']:,} pairs of Europarl reaches BLEU {europarl['bleu']['value']:.2f} "
        f"({europarl['bleu']['low']:.1f} to {europarl['bleu']['high']:.1f}), chrF2 {europarl['chrf']['value']:.2f}, "
        f"on {europarl['sentences']:,} held-out sentences"
    )


def _laboratory() -> Iterator[str]:
    thought_vector, attention, transformer = (spread(costs(system))[:4].strip() for system in CORE)
    yield (
        f"At k = 4 it costs the thought vector {thought_vector} BLEU, attention {attention} "
        f"and the Transformer {transformer}"
    )
    yield (
        f"the lexicon scores {ladder_bleu('lexicon')} BLEU, the LSTM with a thought vector {ladder_bleu('lstm')}, "
        f"the LSTM with dot-product attention {ladder_bleu('dot')}, "
        f"with Bahdanau attention over states of both directions {ladder_bleu('bahdanau')}, "
        f"and the Transformer {ladder_bleu('transformer')}"
    )


def _peer_rows() -> Iterator[str]:
    training = {"thought-vector": "thought vector", "attention": "attention", "transformer": "Transformer"}
    for family, title in training.items():
        for precision in ("fp32", "bf16"):
            yield _peer_row(f"training, {title}", precision, *peers("train", family, f"ours {precision}"))
    engines = {
        "fp32, 2 threads": "ours torch",
        "fp32, 2 workers": "ours fp32, 2 workers",
        "bf16, 2 workers": "ours bf16, 2 workers",
        "CTranslate2 fp32, 2 translators": "ours float32",
        "CTranslate2 int8, 2 translators": "ours int8",
    }
    for family, title in list(training.items())[1:]:
        for ours, party in engines.items():
            if family == "transformer" or "CTranslate2" not in ours:
                yield _peer_row(f"decoding, {title}, beam 5", ours, *peers("decode", family, party))


def _peer_row(work: str, ours: str, rate: str, ratios: dict[str, str]) -> str:
    return f"| {work} | {ours} | {rate} | {ratios['eole']} | {ratios.get('joeynmt', 'not available')} |"


def _precision_rows() -> Iterator[str]:
    for size, title in (
        (1, "one by one"),
        (2, "two concatenated"),
        (4, "four concatenated"),
        (8, "eight concatenated"),
    ):
        bf16, fp32 = costs("attention", size, "concatenated"), costs("fp32-attention", size, "concatenated")
        differences = ", ".join(f"{ours - theirs:.2f}" for ours, theirs in zip(bf16, fp32, strict=True))
        yield f"| {title} | {spread(bf16, 2)} | {spread(fp32, 2)} | {differences} |"


def _growth() -> Iterator[str]:
    lengths, sizes = (10, 15, 25, 50, 100, 200), (1024, 2048, 4096, 8192)
    decoding = {
        family: power(lengths, [length / _positions(family, length=length) for length in lengths])
        for family in FAMILIES
    }
    low, high = sorted([decoding["attention"], decoding["thought-vector"]])
    powers = [
        power(sizes, [grown("train", family, "peak_bytes", batch_tokens=size) for size in sizes]) for family in FAMILIES
    ]
    yield f"memory grows with powers {min(powers)} to {max(powers)} from 1,024 to 8,192 positions"

    def speed(family: str, length: int) -> str:
        return f"{grown('train', family, 'tokens_per_second', length=length):,.0f}"

    def memory(family: str, value: str, **conditions: object) -> str:
        return f"{grown('train', family, value, **conditions) / MIB:,.0f}"

    yield (
        f"({speed('thought-vector', 10)} target tokens a second at 10 tokens a sentence, "
        f"{speed('thought-vector', 200)} at 200)"
    )
    yield (
        f"falls from {speed('attention', 10)} to {speed('attention', 200)}; its memory rises from "
        f"{memory('attention', 'peak_bytes', length=10)} to {memory('attention', 'peak_bytes', length=200)} MiB"
    )
    yield f"The Transformer falls from {speed('transformer', 10)} to {speed('transformer', 200)}"
    batches = {
        family: [memory(family, "peak_bytes", batch_tokens=size) for size in (1024, 8192)] for family in FAMILIES
    }
    attention, thought_vector, transformer = (" to ".join(sizes) for sizes in batches.values())
    yield f"{attention} MiB for attention, {thought_vector} for the thought vector, {transformer} for the Transformer"
    yield f"(powers {low} and {high} from 10 to 200 tokens). The Transformer's power is {decoding['transformer']}"
    slower = [_positions(family, beam=1) / _positions(family, beam=16) for family in FAMILIES]
    yield (
        f"grows {slower[0]:.1f} times for attention, {slower[1]:.0f} times for the thought vector, "
        f"{slower[2]:.0f} times for the Transformer"
    )


def _positions(family: str, **conditions: object) -> float:
    return grown("decode", family, "positions_per_second", **conditions)


def _performance() -> Iterator[str]:
    yield from _peer_rows()
    yield from _precision_rows()
    yield from _growth()
    rows = read("bench/en-de.json")["rows"]
    start = next(row for row in rows if row["work"] == "start")
    yield f"takes {start['help_seconds']:.2f} s. The first translation"
    yield f"takes {start['first_translation_seconds']:.1f} s ({rows[1]['parameters'] / 1e6:.1f} M parameters)"
    translating = next(row for row in rows if row["work"] == "translate" and row["precision"] == "fp32")
    rate = translating["lines_per_second"] / translating["cores"]
    yield f"translates {rate:.1f}: {translating['cores_for_4.5_billion_a_day']:.0f} such cores"
    measured = read("checks/large.json")["measured"]
    yield f"| total (RssAnon + RssFile + RssShmem) | {measured['MB resident']:,.0f} |"
    yield f"| anonymous (RssAnon) | {measured['MB of its own']:,.0f} |"
    yield f"| files (RssFile + RssShmem) | {measured['MB of files']:,.0f} |"


def _recipe(name: str) -> Iterator[str]:
    run = read("multi30k/scores.json")["runs"][name]
    yield (
        f"BLEU {run['bleu']['value']:.2f} ({interval(run['bleu'])}) on test 2016, chrF2 {run['chrf']['value']:.2f}, "
        f"TER {run['ter']['value']:.2f}, beam 5: {run['parameters'] / 1e6:.1f} M parameters, "
        f"{run['core_minutes']} core-minutes, commit {run['commit']}, seed {run['seed']}"
    )


SENTENCES = {
    "README.md": _readme,
    "docs/scores.md": _scores_page,
    "docs/laboratory.md": _laboratory,
    "docs/performance.md": _performance,
}
"""What each page says of results, made from them."""

ELSEWHERE = {
    "README.md": {
        "3.11": "the version of Python",
        "2.0": "the licence",
        "1,000": "the size of the test set",
        "3,500": "tests/runs/test_demo.py",
        "1.7": "GB of an installation",
    },
    "docs/scores.md": {
        "1,000": "the size of the test set",
        "6,000": "updates, from the recipe",
        "0.6": "a length penalty",
        "1.0": "a length penalty",
        "1.2": "a length penalty",
        "1.4": "a length penalty",
        "1.8": "a length penalty",
        "41.39": "docs/log.md, first full runs",
        "0.948": "docs/log.md, first full runs",
        "0.6.4": "a version",
        "11.1": "a model of Eole, of which no record is kept",
        "39.62": "a model of Eole, of which no record is kept",
    },
    "docs/laboratory.md": {"4,000": "updates, from the recipe"},
    "docs/performance.md": {
        "0.6.4": "a version",
        "2.3.0": "a version",
        "3.11.7": "a version",
        "2.13.0": "a version",
        "2,048": "rows of the matrices, from the benchmark",
        "4.5": "translations a day, as published",
        "1,000": "the size of the test set",
        "1.9": "parameters of transformer-seed1",
        "4,096": "a batch size",
        "39.93": "docs/log.md",
        "39.74": "docs/log.md",
        "0.6": "a length penalty",
        "1.7e-5": "parity.json of an export that is not kept",
        "0.33": "parity.json of an export that is not kept",
        "37.56": "parity.json of an export that is not kept",
        "37.53": "parity.json of an export that is not kept",
        "1.3": "docs/log.md",
        "10,000,000": "the full count of the check",
        "0.98": "output of the check",
        "9.77": "output of the check",
        "28,472": "output of the check",
        "2,000": "output of the check",
    },
}
"""The other numbers of a page with a point or a comma in them, and where they come from."""

_NUMBER = re.compile(r"(?<![\w.,-])-?\d[\d.,]*[.,]\d+(?:e-?\d+)?(?!\w)")


@cache
def _text(page: str) -> str:
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("page", SENTENCES)
def test_a_page_says_what_the_results_say(page: str) -> None:
    assert [sentence for sentence in SENTENCES[page]() if " ".join(sentence.split()) not in _text(page)] == []


@pytest.mark.parametrize("name", read("multi30k/scores.json")["runs"])
def test_a_recipe_opens_with_the_score_of_its_run(name: str) -> None:
    assert [sentence for sentence in _recipe(name) if sentence not in _text(f"recipes/{name}.yaml")] == []


@pytest.mark.parametrize("page", SENTENCES)
def test_no_number_of_a_page_is_without_an_origin(page: str) -> None:
    made = {number for sentence in SENTENCES[page]() for number in _NUMBER.findall(sentence)}
    numbers = set(_NUMBER.findall(_text(page)))
    assert sorted(numbers - made - ELSEWHERE[page].keys()) == []
    assert sorted(ELSEWHERE[page].keys() - numbers) == []


def test_the_scores_of_multi30k_are_those_of_the_outputs_that_are_kept(tmp_path: Path) -> None:
    for corpus in ("multi30k", "europarl"):
        unpack(ROOT / "docs" / "results" / corpus, tmp_path / corpus)
        for name, run in read(f"{corpus}/scores.json")["runs"].items():
            outputs = tmp_path / corpus / "outputs" / name / run["outputs"]
            assert sha256(outputs.read_bytes()).hexdigest() == run["outputs_sha256"]


@pytest.mark.parametrize("study", ["bottleneck", "ladder"])
def test_every_number_of_a_summary_written_by_hand_is_in_the_tables_of_its_report(study: str) -> None:
    folder = ROOT / "docs" / "results" / study
    summary, report = (folder / name for name in ("summary.md", f"{study}.md"))
    tables = "\n".join(
        line for line in report.read_text("utf8").splitlines() if line.startswith(("|", "- ", "corpus "))
    )
    number = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
    known = {each.lstrip("+") for each in number.findall(tables)}
    assert [each for each in number.findall(summary.read_text("utf8")) if each.lstrip("+") not in known] == []


@pytest.mark.parametrize("study", ["bottleneck", "ladder"])
def test_every_score_in_the_head_of_a_study_recipe_is_in_its_report(study: str) -> None:
    head = (ROOT / "recipes" / f"{study}.yaml").read_text("utf8").partition("# Scored")[2].partition("\n\n")[0]
    report = (ROOT / "docs" / "results" / study / f"{study}.md").read_text("utf8")
    scores = re.findall(r"(?<![\w.])-?\d+\.\d+(?![\w.])", head)
    assert len(scores) > 5
    assert [score for score in scores if not re.search(rf"(?<![\d.]){re.escape(score)}(?!\d)", report)] == []


@pytest.mark.parametrize("name", ["plain", "mixed"])
def test_the_example_of_fine_tuning_shows_the_scores_that_were_made(name: str) -> None:
    page = (ROOT / "docs/examples.md").read_text(encoding="utf-8")
    for side in ("before", "after"):
        scores = [pair[side]["scores"] for pair in read(f"finetune/{name}.json")]
        cells = (
            f"{each['bleu']['value']:.2f} ({each['bleu']['low']:.2f} to {each['bleu']['high']:.2f}) "
            f"| {each['chrf']['value']:.2f}"
            for each in scores
        )
        assert f"| {' | '.join(cells)} |" in page
