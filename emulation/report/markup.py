"""HTML and SVG as text that is escaped exactly once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | float | int | None


def element(name: str, *children: Content | Iterable[Content], **attributes: Content) -> Markup:
    """An element. `class_` becomes `class`, other `_` become `-`; attributes of None are left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def join(children: Iterable[Content | Iterable[Content]]) -> Markup:
    """What is text is escaped; what is markup stays."""
    return Markup("".join(map(_text, children)))


def _text(child: Content | Iterable[Content]) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    if isinstance(child, float | int):
        return f"{child:g}"
    return join(child)


@dataclass(frozen=True, slots=True)
class Cell:
    """A number in a table: how it is read, and what it is sorted by."""

    text: str
    value: float
    class_: str | None = None


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Content | Cell]],
    caption: str | None = None,
    *,
    empty: str = "Nothing was measured.",
) -> Markup:
    """A table that can be sorted by a click on a head, where scripts run; without rows, `empty`."""
    listed = list(rows)
    if not listed:
        return element("p", empty, class_="empty")
    body = [element("tr", [_cell(item) for item in row]) for row in listed]
    looks = [_look(column) for column in zip(*listed, strict=False)]
    names = [
        element("th", head, scope="col", class_=look)
        for head, look in zip(heads, looks, strict=False)
    ]
    head = element("thead", element("tr", names))
    title = element("caption", caption) if caption else None
    return element(
        "div", element("table", title, head, element("tbody", body)), class_="scroll", tabindex="0"
    )


def _look(column: Sequence[Content | Cell]) -> str | None:
    """The head of numbers stands above their last digits."""
    is_number = any(isinstance(item, Cell | int | float) for item in column)
    return "number" if is_number else None


def _cell(item: Content | Cell) -> Markup:
    if isinstance(item, Cell):
        classes = f"number {item.class_ or ''}".strip()
        return element("td", item.text, class_=classes, data_value=f"{item.value:.9g}")
    if isinstance(item, int | float):
        return element("td", f"{item:,}", class_="number", data_value=f"{item:.9g}")
    return element("td", item)


def section(anchor: str, title: str, *children: Content | Iterable[Content]) -> Markup:
    return element("section", element("h2", title), *children, id=anchor)


def figure(caption: str, drawing: Markup) -> Markup:
    return element("figure", element("figcaption", caption), drawing)
