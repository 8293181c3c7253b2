"""One file, nothing from elsewhere, nothing that runs."""

from html.parser import HTMLParser

from alerting.gate.reports.html import html_report
from tests.alerting.gate.comparisons import NASTY, comparison

EMPTY = {"meta", "br"}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_self_contained() -> None:
    page = html_report(comparison())
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.links == []
    assert reader.tags.isdisjoint({"script", "link", "img", "b", "iframe"})
    assert "default-src 'none'" in page


def test_the_page_says_it_all() -> None:
    reader = Reader()
    reader.feed(html_report(comparison()))
    text = " ".join(reader.text)
    for words in (NASTY, "app.rank:score", "list_sort", "app.views:feed", "not measured", "django"):
        assert words in text
