"""How much one request, one connection and the whole queue may ask of the server; every limit is on by default."""

from __future__ import annotations

from dataclasses import dataclass, fields

from nmt.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused, and with which status."""

    body: int = 1 << 20
    """Bytes in the body of a request; more is 413."""
    characters: int = 5000
    """Characters in one text; more is 400."""
    items: int = 100
    """Texts in one request; more is 400."""
    alternatives: int = 4
    """Alternatives for one text; more is 400."""
    output: int = 400
    """Target pieces of one sentence; a translation is cut there, which is a warning and no error."""
    queue: int = 20_000
    """Source pieces that wait or are being translated; what does not fit is 503 with Retry-After."""
    batch: int = 2048
    """Padded source pieces translated at a time. Smaller batches answer sooner, larger ones answer more."""
    deadline: float = 30.0
    """Seconds from a complete request to its answer; later is 504."""
    reading: float = 10.0
    """Seconds for a request to arrive, and for a connection to begin one; a slow body is 408, a silent connection is closed."""
    connections: int = 10_000
    """Open connections; the next one is 503."""
    grace: float = 30.0
    """Seconds between SIGTERM and the end, for answering what was accepted."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "alternatives" else 1
            if not least <= value < float("inf"):
                raise UserError(f"--{field.name}: expected at least {least}, found {value}")
