"""HTML that cannot be broken by what stands in it: everything is escaped unless it was built here."""

from __future__ import annotations

import html
import json

from coinswarm.printable import HIDDEN

_VOID = frozenset({"meta", "input", "br", "col"})


class Markup(str):
    """Text that is HTML already; any other text is escaped when it is put into a tag."""

    __slots__ = ()


def text(value: object) -> Markup:
    """`value` as it may stand between tags or in an attribute; hidden characters become U+FFFD."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(HIDDEN.sub("\ufffd", str(value)), quote=True))


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element.

    Args:
        name: of the element; trusted.
        children: markup is taken as it is, anything else is escaped.
        attributes: `class_` writes `class`, `data_x` writes `data-x`; None and False are left out, True writes the name alone.
    """
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(*children)}</{name}>")


def note(*children: object) -> Markup:
    """A remark in small print."""
    return tag("p", *children, class_="note")


def empty(*children: object) -> Markup:
    """What stands where there is nothing to show."""
    return tag("p", *children, class_="empty")


def join(*children: object) -> Markup:
    """Elements and texts in a row; None is left out."""
    return Markup("".join(text(child) for child in children if child is not None))


def data(value: object, /, **attributes: object) -> Markup:
    """A block of JSON for the page's script; no text in it can end the block."""
    body = json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e")
    return tag("script", Markup(body), type="application/json", **attributes)


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
