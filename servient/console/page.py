"""The HTML document: the page's frame, and a list of Things for browsers that run no script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from servient.bindings.paths import thing_path
from servient.console.assets import Assets
from servient.wot.operations import AffordanceKind
from servient.wot.thing import ExposedThing

LIST_LIMIT = 100
SCRIPT = "app.js"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" type="image/svg+xml" href="{root}/icon.svg">
{styles}
{modules}
<script type="module" src="{root}/{script}"></script>
</head>
<body>
<div id="console"></div>
<noscript>
<main class="plain">
<h1>{title}</h1>
{content}
</main>
</noscript>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Listing:
    """The Things from `offset` on, of those that who asks may read."""

    things: Sequence[ExposedThing]
    offset: int = 0

    @property
    def shown(self) -> Sequence[ExposedThing]:
        return self.things[self.offset : self.offset + LIST_LIMIT]


class Page:
    """Makes the document; `title` is the servient's name."""

    def __init__(self, title: str, assets: Assets) -> None:
        self._title = escape(title)
        self._root = assets.root
        self._styles = _lines('<link rel="stylesheet" href="{}">', assets.named(".css"))
        # Without these a browser would find one module after the other.
        self._modules = _lines('<link rel="modulepreload" href="{}">', assets.named(".js"))

    def render(self, listing: Listing | None) -> bytes:
        """Without a listing it says how to get one: with credentials."""
        text = _PAGE.format(
            title=self._title,
            root=self._root,
            script=SCRIPT,
            styles=self._styles,
            modules=self._modules,
            content=_STRANGER if listing is None else _list(listing),
        )
        return text.encode()


_STRANGER = '<p>This servient shows its Things to those it knows: <a href="/?login">log in</a>.</p>'


def _list(listing: Listing) -> str:
    total, first, last = len(listing.things), listing.offset, listing.offset + len(listing.shown)
    items = "\n".join(map(_item, listing.shown))
    links = []
    if first > 0:
        links.append(f'<a href="/?offset={max(0, first - LIST_LIMIT)}">Previous</a>')
    if last < total:
        links.append(f'<a href="/?offset={last}">Next</a>')
    pages = f"<nav>{' '.join(links)}</nav>" if links else ""
    return f"<p>{total} Things</p>\n<ul>\n{items}\n</ul>\n{pages}"


def _item(thing: ExposedThing) -> str:
    description = thing.description
    text = description.document.get("description")
    words = f"<p>{escape(text)}</p>" if isinstance(text, str) else ""
    counts = ", ".join(_counts(thing))
    title = escape(description.title)
    return f'<li><a href="{escape(thing_path(thing.name))}">{title}</a> <small>{counts}</small>{words}</li>'


def _counts(thing: ExposedThing) -> Iterable[str]:
    kinds = [affordance.kind for affordance in thing.description]
    return (f"{kinds.count(kind)} {kind.value}" for kind in AffordanceKind if kind in kinds)


def _lines(template: str, urls: Iterable[str]) -> str:
    return "\n".join(template.format(escape(url)) for url in urls)
