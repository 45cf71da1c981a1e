"""What a page holds, for the tests of reports and cards."""

import re
from html.parser import HTMLParser

_VOID = {"meta", "img", "br", "hr", "link", "input"}
_LOADING = {"src", "href", "srcset", "data", "action", "formaction", "poster"}


class HtmlPage(HTMLParser):
    """A page that was read.

    Attributes:
        tags: Its tags, in their order.
        unclosed: The tags that are open at the end.
        attributes: The names of all attributes.
        addresses: What it loads or leads to.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.unclosed: list[str] = []
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self._texts: list[str] = []
        self.feed(content)

    @property
    def text(self) -> str:
        """What it shows, as written."""
        return "".join(self._texts)

    @property
    def words(self) -> str:
        """What it shows, with one space between words and between elements."""
        return re.sub(r"\s+", " ", " ".join(self._texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in _VOID:
            self.unclosed.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in _LOADING]

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self._texts.append(data)
