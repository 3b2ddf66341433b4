"""Where markup belongs in a translation, given which words belong together.

Positions are numbers of words: an interval of target words for a pair of tags, a gap before a target word for the rest.
The intervals of siblings are disjoint, and those of children lie within their parent's, so the result is nested as the
source was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from nmt.inference.offsets import Span

MOST = 5_000_000
"""Items times words up to which alignment is asked; markup of larger blocks has its relative position."""


@dataclass(eq=False)
class Node:
    """A pair of tags or a mark."""

    first: int
    """The number of its first item."""
    last: int
    """The number of its last item; of a mark, the same."""
    source: Span
    """The source words inside; empty for a mark."""
    parent: Node | None
    sides: tuple[int, int] = (1, 1)
    """How much the neighbours before and behind a mark count; it may be glued to one of them."""
    target: Span = (0, 0)
    children: list[Node] = field(default_factory=list)


def place_in_order(words: Sequence[int], sources: int, aligned: Sequence[int]) -> list[int]:
    """The gap of each item, in the order of the source: for tags that are not nested."""
    if len(words) * len(aligned) > MOST:
        return [_relative(word, sources, len(aligned)) for word in words]
    places, last = [], 0
    root = _root(sources, aligned)
    for word in words:
        last = max(last, _gap(Node(0, 0, (word, word), root), aligned, set()))
        places.append(last)
    return places


def place_nodes(nodes: Sequence[Node], sources: int, aligned: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The gap and the number of each item, in the order of the translation; ``nodes`` are in document order."""
    root = _root(sources, aligned)
    for node in nodes:
        node.parent = node.parent or root
        node.parent.children.append(node)
    if len(nodes) * len(aligned) > MOST:
        for node in nodes:
            node.target = tuple(_relative(word, sources, len(aligned)) for word in node.source)  # type: ignore[assignment]  # a pair stays a pair
    else:
        _place_pairs(nodes, aligned)
        _place_empty([root, *nodes], aligned)
    return _in_order(root)


def _root(sources: int, aligned: Sequence[int]) -> Node:
    return Node(-1, -1, (0, sources), None, target=(0, len(aligned)))


def _place_pairs(nodes: Sequence[Node], aligned: Sequence[int]) -> None:
    owners: list[Node | None] = [None] * len(aligned)
    for node in nodes:
        (start, end), parent = node.source, node.parent
        assert parent is not None
        if start == end or parent.target[0] == parent.target[1]:
            node.target = (parent.target[0], parent.target[0])
            continue
        owner = parent if parent.parent else None
        free = [owners[word] is owner for word in range(*parent.target)]
        if node.source == parent.source and all(free):
            node.target = parent.target
        else:
            inside = [start <= aligned[word] < end for word in range(*parent.target)]
            first, last = _best(inside, free) or _nearest(free, _gap(node, aligned, set()) - 1 - parent.target[0])
            node.target = parent.target[0] + first, parent.target[0] + last
        owners[node.target[0] : node.target[1]] = [node] * (node.target[1] - node.target[0])


def _best(inside: Sequence[bool], free: Sequence[bool]) -> Span | None:
    """The interval of free words with the largest surplus of words inside over words outside, the longest of equals."""
    best, most, start, total = None, (0, 0), 0, 0
    for word, (is_inside, is_free) in enumerate(zip(inside, free, strict=True)):
        total += 1 if is_inside else -1
        if not is_free or total < 0:
            start, total = word + 1, 0
        elif is_inside and (total, word + 1 - start) > most:
            best, most = (start, word + 1), (total, word + 1 - start)
    return best


def _nearest(free: Sequence[bool], wanted: int) -> Span:
    """The free word nearest to the wanted one; an empty interval if there is none."""
    places = [place for place, is_free in enumerate(free) if is_free]
    if not places:
        return 0, 0
    nearest = min(places, key=lambda place: abs(place - wanted))
    return nearest, nearest + 1


def _place_empty(parents: Sequence[Node], aligned: Sequence[int]) -> None:
    """Gives marks and pairs without words the gap that separates best what stands before and behind them."""
    for parent in parents:
        within = {gap for child in parent.children for gap in range(child.target[0] + 1, child.target[1])}
        for child in parent.children:
            if child.target[0] == child.target[1]:
                gap = _gap(child, aligned, within)
                child.target = gap, gap


def _gap(node: Node, aligned: Sequence[int], without: set[int]) -> int:
    """The gap within the parent's target with the same neighbours as a node without words has in the source; of
    several, the one with the fewest words on the wrong side."""
    assert node.parent is not None
    word, source, (first, last) = node.source[0], node.parent.source, node.parent.target
    wrong = sum(aligned[place] < word for place in range(first, last))
    best, least = first, (1, wrong)
    for gap in range(first, last + 1):
        if gap > first:
            wrong += 1 if aligned[gap - 1] >= word else -1
        before = word == source[0] if gap == first else aligned[gap - 1] == word - 1
        behind = word == source[1] if gap == last else aligned[gap] == word
        if (rank := (-before * node.sides[0] - behind * node.sides[1], wrong)) < least and gap not in without:
            best, least = gap, rank
    return best


def _relative(word: int, sources: int, targets: int) -> int:
    return round(word * targets / sources)


def _in_order(root: Node) -> Iterator[tuple[int, int]]:
    """The items of a tree from first to last, without recursion, since hostile documents are deep."""
    stack: list[tuple[Node, bool]] = [(child, False) for child in reversed(_sorted(root))]
    while stack:
        node, closing = stack.pop()
        if closing:
            yield node.target[1], node.last
            continue
        yield node.target[0], node.first
        if node.last != node.first:
            stack.append((node, True))
        stack += [(child, False) for child in reversed(_sorted(node))]


def _sorted(node: Node) -> list[Node]:
    return sorted(node.children, key=lambda child: (*child.target, child.first))
