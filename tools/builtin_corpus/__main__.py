"""Writes the built-in corpus into the package: python -m tools.builtin_corpus"""

from __future__ import annotations

import lzma

from nmt.atomic import write_file
from nmt.data.builtin import FILE, SPLITS
from tools.builtin_corpus.corpus import pairs


def main() -> None:
    """Generates every split and writes all of them as one compressed file; the same bytes each time."""
    lines = (f"{split}\t{german}\t{english}\n" for split in SPLITS for german, english in pairs(split))
    write_file(FILE, lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main()
