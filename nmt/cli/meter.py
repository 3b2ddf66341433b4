"""The progress of a translation: lines, their share, rate and time left."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from nmt.cli.output import console

T = TypeVar("T")


class Sizes:
    """How large the whole input is, if that is known, and each item that has been read and not been translated."""

    def __init__(self, total: int | None, waiting: Iterable[int] = ()) -> None:
        self.total, self.waiting = total, deque(waiting)


def shown(found: Iterable[T], sizes: Sizes, unit: str, hidden: bool) -> Iterator[T]:
    """The items as they come, with a line of progress in the terminal unless it is hidden."""
    if hidden:
        yield from found
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    counted = TextColumn(f"{{task.fields[done]:,}} {unit}, {{task.fields[rate]:,.1f}}/s")
    columns = (TextColumn("translating"), BarColumn(), TaskProgressColumn(), counted, TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task, begun = progress.add_task("", total=sizes.total, done=0, rate=0.0), time.monotonic()
        for done, item in enumerate(found, 1):
            rate = done / max(time.monotonic() - begun, 1e-9)
            progress.update(task, advance=sizes.waiting.popleft(), done=done, rate=rate)
            yield item
