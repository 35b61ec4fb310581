"""A strict reading of a page: what browsers forgive is an error here."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SHAPES = {"path", "circle", "rect"}
LABELLED = {"input", "select", "textarea"}


class Page(HTMLParser):
    """Reads a page at once.

    ``problems`` are sentences; ``tags`` every start tag with its attributes, in order; ``text`` all text outside of
    scripts.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        if self._open:
            self.problems.append(f"left open: {self._open}")
        self._check()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"an attribute twice in <{tag}> {names}")
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID | SHAPES:
            self.problems.append(f"<{tag}/> closes nothing in HTML")
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> where {self._open[-3:]} is open")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("script", "style"):
            self.text += data
        elif data.strip() and self.tags[-1][1].get("type") != "application/json":
            self.problems.append("a script or style in the page itself")

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    def having(self, attribute: str) -> list[str]:
        """The values of an attribute, in order."""
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]

    def _check(self) -> None:
        ids = self.having("id")
        self.problems += [f"the id {name} twice" for name in set(ids) if ids.count(name) > 1]
        self.problems += [f"for={name} points nowhere" for name in self.having("for") if name not in ids]
        for name in ("aria-labelledby", "aria-describedby"):
            self.problems += [f"{name}={value} points nowhere" for value in self.having(name) if value not in ids]
        self.problems += [f"<img {image.get('src')}> without alt" for image in self.all("img") if "alt" not in image]
        self.problems += [f"<img {i.get('src')}> without size" for i in self.all("img") if not i.get("width")]
        for tag, attributes in self.tags:
            inline = [name for name in attributes if name == "style" or name.startswith("on")]
            self.problems += [f"<{tag} {name}>" for name in inline]
            asks = tag in LABELLED and attributes.get("type") not in ("hidden", "radio", "checkbox", "submit")
            if asks and attributes.get("id") not in self.having("for"):
                self.problems.append(f"<{tag} name={attributes.get('name')}> without a label")
        if len(self.all("h1")) != 1:
            self.problems.append(f"{len(self.all('h1'))} main headings")
