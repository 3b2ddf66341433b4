"""API keys, of which the server knows only hashes.

A file of keys has a line for each: a name for the operator, white space, and the SHA-256 of the key in hexadecimal. Keys are made by
`Keys.add` from 256 random bits, so a fast hash gives nothing away.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from pathlib import Path

from nmt import atomic
from nmt.data import lines
from nmt.errors import UserError

_LINE = re.compile(r"(\S+)\s+([0-9a-f]{64})")


class Keys:
    """The hashes of all keys that are let in."""

    def __init__(self, hashes: dict[str, str]) -> None:
        """Hashes in lower-case hexadecimal, by name."""
        self._hashes = list(hashes.values())

    @classmethod
    def read(cls, path: Path) -> Keys:
        """The keys of a file, in which blank lines and those that begin with # say nothing."""
        hashes = {}
        for number, line in enumerate(lines.read(path).text, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            if not (found := _LINE.fullmatch(line.strip())):
                raise UserError(
                    f"{path}:{number}: expected a name and the SHA-256 of a key; make one: nmt serve --keys {path} --new-key NAME"
                )
            if found[1] in hashes:
                raise UserError(f"{path}:{number}: there is a key named {found[1]} already; expected another name")
            hashes[found[1]] = found[2]
        if not hashes:
            raise UserError(f"{path}: there are no keys in it; make one: nmt serve --keys {path} --new-key NAME")
        return cls(hashes)

    def admits(self, key: str) -> bool:
        """Whether this is one of the keys; takes as long for a wrong key as for a right one."""
        found = sha256(key.encode("utf8", "surrogatepass")).hexdigest()
        equal = [hmac.compare_digest(found, each) for each in self._hashes]  # all of them, so that no time tells which
        return any(equal)


def add(path: Path, name: str) -> str:
    """A new key, whose hash is added to the file; the key itself is kept nowhere."""
    if not re.fullmatch(r"[^\s#]\S*", name):
        raise UserError(f"--new-key: expected a name without white space that does not begin with #, found {name!r}")
    known = lines.read(path).text if path.exists() else []
    if any(line.split()[:1] == [name] for line in known):
        raise UserError(f"{path}: there is a key named {name} already; expected another name")
    key = secrets.token_urlsafe(32)
    atomic.write_file(path, "".join(f"{line}\n" for line in [*known, f"{name} {sha256(key.encode()).hexdigest()}"]))
    return key
