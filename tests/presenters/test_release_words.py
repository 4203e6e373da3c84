"""The release panel in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from desktop.analytics.reactions import Basis, Board, Move, Pair, Row, Trade
from desktop.market.known import Unknown
from desktop.market.releases import shipped
from desktop.presenters.frame import FramePresenter, View
from desktop.presenters.release import ReleasePresenter, field_key, parts_of, toggled
from desktop.release_desk import ReleaseLook
from desktop.settings import Settings
from desktop.snapshot import Mode
from widgets.states import Tone

CPI = datetime(2024, 7, 11, 12, 30, tzinfo=UTC)
NOT_YET = Unknown("not yet")


def board(**more) -> Board:
    pair = Pair("future", Basis.RELEASE, Trade(2060.0, CPI), Trade(20700.0, CPI), frozen=True)
    late = Move(1.0, -0.5, 1.5, -1.482, "etf", "futures 4 min late: ETF shown", 2.0)
    rows = (
        Row(5, CPI + timedelta(minutes=5), late, Unknown("once a day"), -2.5, -0.4, Unknown("closes")),
        Row(None, CPI + timedelta(hours=7.5), NOT_YET, NOT_YET, NOT_YET, NOT_YET, NOT_YET),
    )
    return replace(Board(CPI, Basis.RELEASE, {"future": pair}, rows, late), **more)


def look(**more) -> ReleaseLook:
    moment = CPI + timedelta(minutes=6)
    nothing = Unknown("no minutes")
    made = ReleaseLook(
        moment,
        moment,
        Mode.LIVE,
        shipped(),
        (),
        (),
        None,
        (),
        board(),
        (),
        0,
        "",
        (),
        nothing,
        nothing,
        0,
        "",
        0,
        "",
    )
    from desktop.market.marks import of_release

    (release,) = shipped().between(CPI, CPI + timedelta(seconds=1))
    return replace(made, chosen=(of_release(release),), **more)


def test_cells_have_signs_and_what_is_not_known_says_why():
    state = ReleasePresenter().present(look(), Settings())
    assert state.board is not None
    assert state.board.headers == (
        "min", "RUT %", "NDX %", "Gap pp", "Ratio %", "driver", "VIX pt", "2Y bp", "Fed bp", "Gauge",
    )  # fmt: skip
    five, close = state.board.rows
    assert [one.text for one in five] == [
        "+5",
        "+1.00",
        "−0.50",
        "+1.50",
        "−1.48",
        "ETF",
        "−0.40",
        "n/a",
        "−2.5",
        "n/a",
    ]
    assert (five[7].why, five[9].why) == ("once a day", "closes")
    assert {one.text for one in close[1:5]} == {"not yet"}


def test_late_futures_are_told_beside_the_board_not_on_hover_alone():
    facts = ReleasePresenter().present(look(), Settings()).board_facts
    (late,) = [one for one in facts if "late" in one.text]
    assert (late.text, late.tone) == ("futures 4 min late: ETF shown", Tone.WARN)


def test_moves_from_the_prior_close_are_told_as_such():
    pair = Pair("index", Basis.PRIOR_CLOSE, Trade(2051.76, CPI), Trade(20675.38, CPI))
    from_close = board(basis=Basis.PRIOR_CLOSE, references={"index": pair}, now=NOT_YET, rows=())
    facts = ReleasePresenter().present(look(board=from_close), Settings()).board_facts
    assert facts[-1].text == "moves since the prior close, not since the release: cash index"
    assert facts[-1].tone is Tone.WARN


def test_how_far_each_kind_is_known_stands_behind_the_date():
    facts = ReleasePresenter().present(look(), Settings()).facts
    known = facts[-1]
    assert known.text == "schedule known to 4 Dec 2026"
    assert "CPI: to 10 Dec 2026 (shipped table to 10 Dec 2026)" in known.why
    assert "PCE: no date of PCE is known (none in the shipped table)" in known.why
    assert "as published on 6 Aug 2026" in known.why


def test_the_same_look_gives_the_same_state():
    presenter = ReleasePresenter()
    assert presenter.present(look(), Settings()) is presenter.present(look(), Settings())


def test_rails_stay_the_same_object_and_go_where_they_are_not_wanted(closed):
    presenter = ReleasePresenter()
    days, session = presenter.rails(closed, None, Settings())
    again = presenter.rails(closed, None, Settings())
    assert again[0] is days
    assert again[1] is session
    assert days is not None
    assert days.labels[-1] == "CPI"  # 11 July 2024
    assert "Presidential election" not in days.labels  # three years back: none in between
    assert presenter.rails(closed, None, replace(Settings(), rails=False)) == (None, None)
    assert presenter.rails(closed, look(light=True), Settings()) == (None, None)  # the first paint comes first


def test_a_frame_without_a_desk_says_why_its_calendar_is_empty(closed):
    frame = FramePresenter().present(closed, View(Settings()))
    assert frame.release.message == "the calendar is shown in the window alone"


@pytest.mark.parametrize(
    ("before", "kind", "after"), [("", "ppi", "ppi"), ("expiry,ppi", "ppi", "expiry"), ("ppi", "cpi", "cpi,ppi")]
)
def test_kinds_are_left_out_and_shown_again(before, kind, after):
    assert toggled(replace(Settings(), calendar_hidden=before), kind) == after


def test_the_key_of_a_figure_names_release_and_figure():
    assert parts_of(field_key("cpi", CPI, "actual")) == ("cpi", CPI, "actual")
