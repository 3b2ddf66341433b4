"""The name that `nmt evaluate --batch` had: ``python tools/evaluate_batch.py ARGUMENTS`` calls it with the arguments.

``--runs GLOB`` of this tool is an argument of the command.
"""

from __future__ import annotations

import sys

from nmt.cli.app import main


def arguments(given: list[str]) -> list[str]:
    """The arguments of the command."""
    return ["evaluate", "--batch", *(each.removeprefix("--runs=") for each in given if each != "--runs")]


if __name__ == "__main__":
    sys.argv[1:] = arguments(sys.argv[1:])
    main()
