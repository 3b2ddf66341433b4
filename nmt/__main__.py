"""The program `nmt`, also as `python -m nmt`. Ctrl-C while it is being imported ends it without a traceback."""

from __future__ import annotations

import signal


def main() -> None:
    """Runs the command line; see `nmt.cli.app`."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nmt.cli.app import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
