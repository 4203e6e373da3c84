"""The report as one HTML file: well formed, self-contained, escaped, in the window's colours."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from desktop.analytics.events import EventStudy, Rule
from desktop.market.known import Unknown
from desktop.report import as_html, snapshot_for
from desktop.report.page import THEMES
from desktop.snapshot import Snapshot
from desktop.thesis import claims
from widgets.states import Tone

VOID = {"meta", "br", "rect", "path"}


class Reader(HTMLParser):
    """Fails where a tag closes that was not open; keeps tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def page(demo: Snapshot) -> str:
    return as_html(demo)


def test_every_tag_is_closed_and_the_charts_are_inline(page):
    reader = Reader(page)
    assert page.startswith("<!doctype html>")
    drawn = [dict(found)["aria-label"] for name, found in reader.tags if name == "svg"]
    assert len(drawn) == len(set(drawn))
    assert {
        "The ratio in price and in total return, chart",
        "What followed large divergences, chart",
        "Correlation and dispersion, chart",
    } <= set(drawn)
    others = [label for label in drawn if not (label or "").endswith(", chart")]
    assert len(others) == 4  # ratio, divergence, correlation scale and history


def test_nothing_runs_and_nothing_is_loaded_from_elsewhere(page):
    reader = Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "a"} & {name for name, _ in reader.tags}
    for _, attributes in reader.tags:
        assert not {"src", "href", "srcset", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    for words in ("http", "url(", "@import"):
        assert words not in page


def test_the_head_and_the_label_say_when_and_what(page):
    reader = Reader(page)
    assert "<title>Rotation Monitor · as of Thu 11 Jul 2024 16:00:00 ET (2024-07-11 20:00:00 UTC)</title>" in page
    assert ("time", {"datetime": "2024-07-11T20:00:00+00:00"}) in reader.tags
    assert "DEMO, simulated between published levels" in reader.text


def test_the_answers_the_cautions_and_the_sources_are_on_it(page):
    text = Reader(page).text
    for words in ("9.511", "+5.82 pp", "2nd of 9,280 days", "not the largest ever", "Sources and dates"):
        assert words in text
    assert "9,281 common closes, 10 Sep 1987 to 11 Jul 2024" in text


def test_the_thesis_and_its_evidence_are_on_it(demo):
    page = as_html(demo, kill_levels={"stretched": 9.0})
    text = Reader(page).text
    for one in claims(demo):
        assert one.claim in text
    for words in ("◐ mixed", "● for", "✕ against", "○ unknown", "given up above 9.000: crossed"):
        assert words in text
    for words in ("the answer moves with the rule", "conditioning on the short leg flatters", "95 % interval"):
        assert words in text
    footer = text[text.index("Sources and dates") :]
    assert "event study: days at 3σ or more, 20 sessions on: to 11 Jul 2024" in footer


def test_where_the_data_came_from_stands_in_the_footer(demo):
    text = Reader(as_html(demo, origins=("^RUT: a<b.csv (1 Jan 2024 to 2 Jan 2024)",))).text
    assert "^RUT: a<b.csv (1 Jan 2024 to 2 Jan 2024)" in text[text.index("Sources and dates") :]


def test_words_from_outside_are_escaped(demo):
    correlation = demo.correlation
    assert not isinstance(correlation, Unknown)
    evil = 'universe <img src=x onerror="alert(1)"> & co'
    history = replace(demo.history, correlation=replace(correlation, notes=(evil,)))
    assert isinstance(demo.evidence.events, EventStudy)
    rule = replace(demo.evidence.events.sensitivity[1], rule=Rule(evil))
    events = replace(demo.evidence.events, sensitivity=(demo.evidence.events.sensitivity[0], rule))
    page = as_html(replace(demo, history=history, evidence=replace(demo.evidence, events=events)))
    assert Reader(page).text.count(evil) >= 2
    assert "<img" not in page
    assert evil in Reader(page).text


def test_a_store_without_data_makes_a_page_that_says_why(tmp_path):
    page = as_html(snapshot_for(tmp_path))
    reader = Reader(page)
    assert "no day on which both RUT and NDX have a close" in reader.text
    assert reader.count("svg") == 1  # the scale, without a needle
    assert "needle" not in [attributes.get("class") for _, attributes in reader.tags]
    assert "nan" not in reader.text.lower()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_screen_has_the_theme_and_paper_is_always_light(demo, theme):
    page = as_html(demo, theme=theme)
    screen, paper = page.split("@media print")
    assert f"color-scheme:{theme};--window:{THEMES[theme]['window']}" in screen
    assert f"color-scheme:light;--window:{THEMES['light']['window']}" in paper
    assert "@page{size:A4" in paper


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_colours_are_those_of_the_window(name):
    from widgets import theme

    shown = theme.resolve(name)
    for key, color in THEMES[name].items():
        if key in set(Tone):
            assert color == shown.tones[Tone(key)], key
        else:
            assert color == getattr(shown, key.replace("-", "_")), key
