"""A first training in a few minutes: trains on the built-in corpus, translates five sentences, and says what the score
means.

    python -m tools.demo --minutes 6
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from nmt.evaluation import evaluation_log
from nmt.runs.run_folder import Run

RUN = Path("runs/demo")
RECIPE = "recipes/builtin.yaml"
REACHED = {200: 0.5, 400: 1.9, 800: 13.1, 1500: 51.7, 3000: 80.4}
"""BLEU on the built-in test set after a training of so many updates, of one seed."""
SENTENCES = (
    "Zwei Kinder spielen im Park.",
    "Die Frau liest ein Buch im Garten.",
    "Ein Hund schläft unter dem Tisch.",
    "Der alte Mann kocht heute Abend in der Küche.",
    "Ein Junge trinkt Wasser, weil er sehr müde ist.",
)
MEANINGS = (
    (5.0, "this is far too little training: the words are English, but hardly translations; give more minutes"),
    (30.0, "it has begun to translate: short sentences come out right, long ones lose parts; more minutes help"),
    (60.0, "it translates most sentences of this corpus, some with a wrong word"),
    (100.0, "it translates this corpus well"),
)
"""What BLEU up to a limit means, on this corpus of simple generated sentences."""


def main() -> None:
    """Trains for the given minutes, or continues, and shows what was learned."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=6.0)
    minutes = parser.parse_args().minutes
    print(expectation(minutes), file=sys.stderr)
    nmt("train", RECIPE, "--run", str(RUN), f"training.minutes={minutes:g}", "training.updates=null", "name=demo")
    for sentence in SENTENCES:
        print(sentence)
    print()
    nmt("translate", str(RUN), "--quiet", *(word for sentence in SENTENCES for word in ("--text", sentence)))
    print()
    if not evaluation_log.read(Run(RUN)):
        nmt("evaluate", str(RUN), "--quiet", out=subprocess.DEVNULL)
    nmt("info", str(RUN), "--scores")
    print(meaning(evaluation_log.read(Run(RUN))[-1].scores.bleu.value))


def expectation(minutes: float) -> str:
    """What a budget allows, for the line of the training that says how many updates it comes to."""
    reached = ", ".join(f"{bleu:.0f} after {updates:,}" for updates, bleu in REACHED.items())
    return (
        f"training an LSTM with attention for {minutes:g} minutes on the built-in corpus\n"
        f"one training reached BLEU {reached} updates; a line below says how many this machine makes in the time\n"
        f"for twice as many: make demo MINUTES={2 * minutes:g}"
    )


def meaning(bleu: float) -> str:
    """What a score means."""
    words = next(words for limit, words in MEANINGS if bleu <= limit)
    return (
        f"BLEU {bleu:.1f}: {words}\nthe corpus is generated, so scores on it say nothing about real text; "
        "for that: nmt train recipes/de-en.yaml"
    )


def nmt(*arguments: str, out: int | None = None) -> None:
    """Runs a command of nmt; one that fails or is stopped ends this program with its status."""
    done = subprocess.run([sys.executable, "-m", "nmt", *arguments], stdout=out, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
