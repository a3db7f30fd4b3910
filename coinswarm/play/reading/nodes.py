"""A play's file as a tree of values that know their line."""

from __future__ import annotations

from dataclasses import dataclass, field

Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a scalar, a tuple of nodes, or a mapping of names to nodes.

    Attributes:
        line: where it starts, counted from 1.
        key_lines: for a mapping, the line of each key.
        size: how many values it holds, itself included; an alias counts as what it stands for.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    line: int
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1
