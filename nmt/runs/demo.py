"""The demo models: two small bundles that ship with the package, so that something translates right after installation.

`tools/demo_models.py` makes them. They are bundles like any other, opened by `Run`.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("demo_models")
ATTENTION, THOUGHT_VECTOR = (FOLDER / f"{name}.nmt" for name in ("attention", "thought-vector"))
"""An LSTM with Bahdanau attention, and the same LSTM with a thought vector."""
BOTH = (ATTENTION, THOUGHT_VECTOR)
HASHES = "SHA256SUMS"
"""The file in `FOLDER` with the hash of each bundle, as `sha256sum --check` reads it."""
ABOUT = (
    "demo: small LSTMs, German to English, each trained for some 8 minutes on the built-in corpus",
    "they know its 3,500 German word forms and its grammar: Der Hund jagt eine Katze, weil er wütend ist.",
)
"""What these models are, in two lines for users."""
