"""What changed from run format 1 to 2."""

from __future__ import annotations

WEIGHTS = (
    (r"^reader\.", "attention."),
    (r"^begin\.", "bridge."),
    (r"^squeeze\.", "bottleneck."),
    (r"^encoder\.(\d+)\.", r"encoder.layers.\1."),
)
"""Regular expressions for names of weights in format 1, and what replaces them. The order of the parameters is the same."""
PROGRESS = {"pieces": "tokens", "sums": "totals"}
"""Fields of `progress` in the state of a checkpoint."""
TOTALS = {"pieces": "tokens", "objective": "loss"}
"""Fields of `totals` in there."""
RECORDS = {"pieces": "tokens", "pieces_per_second": "tokens_per_second"}
"""Keys of the records in metrics.jsonl and timing.jsonl."""
