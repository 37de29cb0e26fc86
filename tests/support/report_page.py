"""Reads report.html."""
from html.parser import HTMLParser


class Page(HTMLParser):
    """Numbers, table rows, charts (aria label -> bar -> count), notes and the names in each list.
    """

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.tags, self.numbers, self.rows, self.charts, self.notes, self.lists = (
            [],
            {},
            {},
            {},
            [],
            {},
        )
        self.stack, self.row, self.value, self.title, self.items = [], [], "", "", None
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        assert not self.stack, self.stack

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag in ("meta", "line", "rect"):
            return
        self.stack.append((tag, dict(attributes)))
        if tag == "svg":
            self.chart = self.charts.setdefault(dict(attributes)["aria-label"], {})
        if tag == "tr":
            self.row = []
        if tag in ("li", "td", "summary"):
            self.value = ""
        if tag == "ul" and "id" in dict(attributes):
            self.items = self.lists.setdefault(dict(attributes)["id"], [])

    def handle_endtag(self, tag):
        if tag in ("meta", "line", "rect"):
            return
        assert self.stack.pop()[0] == tag, tag
        if tag == "td":
            self.row.append(self.value)
        if tag == "tr" and self.row:
            self.rows[self.row[0]] = self.row[1:]
        if tag == "li":
            (self.notes if self.items is None else self.items).append(self.value)
        if tag == "ul":
            self.items = None

    def handle_data(self, data):
        tag, _ = self.stack[-1] if self.stack else ("", {})
        if any(t in ("li", "td") for t, _ in self.stack):
            self.value += data
        if tag == "b":
            self.number = data
        if tag == "span":
            self.numbers[data] = self.number
        if tag == "title" and any(t == "svg" for t, _ in self.stack):
            label, count = data.rsplit(": ", 1)
            self.chart[label] = int(count.replace(",", ""))
