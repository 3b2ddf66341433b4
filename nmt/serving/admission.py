"""Who may use the server and how much: API keys, and the limits of a request, a connection and the queue.

The server knows only hashes of keys. A key file has one line per key: a name for the operator, white space, and the
SHA-256 of the key in hexadecimal. `add_key` makes keys from 256 random bits, so a fast hash gives nothing away.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path

from nmt import atomic
from nmt.data import lines
from nmt.errors import UserError

_LINE = re.compile(r"(\S+)\s+([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the server, all on by default, and the status of a request beyond each."""

    body: int = 1 << 20
    """Bytes in the body of a request; more is 413."""
    characters: int = 5000
    """Characters in one text; more is 400."""
    items: int = 100
    """Texts in one request; more is 400."""
    alternatives: int = 4
    """Alternatives for one text; more is 400."""
    output: int = 400
    """Target tokens of one sentence; a longer translation is cut, with a warning."""
    tokens: int = 10_000
    """Source tokens of one request; more is 400."""
    queue: int = 20_000
    """Source tokens that wait or are being translated; more is 503 with Retry-After."""
    batch: int = 2048
    """Padded source tokens translated at a time; a longer sentence is cut. Smaller batches answer sooner, larger ones
    have more throughput."""
    deadline: float = 30.0
    """Seconds from a complete request to its answer; later is 504."""
    reading: float = 10.0
    """Seconds for a request to arrive, and for a connection to begin one; later is 408, or a closed connection."""
    connections: int = 10_000
    """Open connections; the next one is 503."""
    grace: float = 30.0
    """Seconds after SIGTERM in which accepted requests are answered."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), 0 if field.name == "alternatives" else 1
            if not least <= value < float("inf"):
                raise UserError(f"--{field.name}: expected at least {least}, found {value}")


class ApiKeys:
    """The hashes of the accepted keys."""

    def __init__(self, hashes: dict[str, str]) -> None:
        """Hashes in lower-case hexadecimal, by name."""
        self._hashes = list(hashes.values())

    @classmethod
    def read(cls, path: Path) -> ApiKeys:
        """The keys of a file; blank lines and lines that begin with # are skipped."""
        hashes = {}
        for number, line in enumerate(lines.read(path).text, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            if not (found := _LINE.fullmatch(line.strip())):
                raise UserError(
                    f"{path}:{number}: expected a name and the SHA-256 of a key;"
                    f" make one: nmt serve --keys {path} --new-key NAME"
                )
            if found[1] in hashes:
                raise UserError(f"{path}:{number}: there is a key named {found[1]} already; expected another name")
            hashes[found[1]] = found[2]
        if not hashes:
            raise UserError(f"{path}: there are no keys in it; make one: nmt serve --keys {path} --new-key NAME")
        return cls(hashes)

    def accepts(self, key: str) -> bool:
        """Whether this is one of the keys; compares with all of them, so that timing tells nothing."""
        found = sha256(key.encode("utf8", "surrogatepass")).hexdigest()
        equal = [hmac.compare_digest(found, each) for each in self._hashes]
        return any(equal)


def add_key(path: Path, name: str) -> str:
    """A new key, whose hash is added to the file; the key itself is not stored."""
    if not re.fullmatch(r"[^\s#]\S*", name):
        raise UserError(f"--new-key: expected a name without white space that does not begin with #, found {name!r}")
    known = lines.read(path).text if path.exists() else []
    if any(line.split()[:1] == [name] for line in known):
        raise UserError(f"{path}: there is a key named {name} already; expected another name")
    key = secrets.token_urlsafe(32)
    added = f"{name} {sha256(key.encode()).hexdigest()}"
    atomic.write_file(atomic.followed(path), "".join(f"{line}\n" for line in [*known, added]))
    return key
