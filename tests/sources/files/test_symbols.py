"""Which instrument a file is about: content, then name, then the user; and whether its level fits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desktop.sources.files import ImportRefusedError, ImportResult
from desktop.sources.files.symbols import canonical, named_by_file

Take = Callable[..., ImportResult]

RUT = "Date,Close\n2024-07-09,2029.47\n2024-07-10,2051.75\n2024-07-11,2125.04\n2024-07-12,2148.27\n"
NDX = "Date,Close\n2024-07-09,20453.02\n2024-07-10,20675.38\n2024-07-11,20211.36\n2024-07-12,20331.49\n"
QQQ = "Date,Close\n2024-07-09,497.77\n2024-07-10,502.96\n2024-07-11,491.93\n2024-07-12,494.82\n"


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("NDX", "^NDX"),
        ("^ndx", "^NDX"),
        ("^GSPC", "^SPX"),
        ("NASDAQ100", "^NDX"),
        ("VIXCLS", "^VIX"),
        ("iwm", "IWM"),
        ("QQQ:adj", "QQQ:adj"),
        ("nqu26", "NQU26.CME"),
        ("NQU26.CME", "NQU26.CME"),
        ("ZQF24", "ZQF24.CBT"),
        ("RU2000PR", "RU2000PR"),
        ("BRK-B", "BRK-B"),
        ("NQ=F", "NQ=F"),
        ("", None),
        ("a b", None),
        ("two;parts", None),
        ("MUCHTOOLONGASYMBOLFORANY", None),
    ],
)
def test_one_spelling_a_symbol(name: str, symbol: str | None) -> None:
    assert canonical(name) == symbol


@pytest.mark.parametrize(
    ("stem", "symbols"),
    [
        ("rut-5m-2024-2026", ("^RUT",)),
        ("^NDX", ("^NDX",)),
        ("VIX_History", ("^VIX",)),
        ("nq-202609", ("NQU26.CME",)),
        ("RTY_2026-12", ("RTYZ26.CME",)),
        ("AAPL", ("AAPL",)),
        ("ndx-against-rut", ("^NDX", "^RUT")),
        ("download", ()),
    ],
)
def test_what_a_file_name_speaks_of(stem: str, symbols: tuple[str, ...]) -> None:
    assert named_by_file(stem) == symbols


def test_content_comes_before_the_name(take: Take) -> None:
    assert take("rut.csv", "DATE,NASDAQ100\n2024-07-10,20675.38\n").symbol == "^NDX"


@pytest.mark.parametrize(
    ("name", "cause"),
    [("download.csv", "neither its content nor its name says"), ("rut-ndx.csv", r"speaks of \^RUT and \^NDX")],
)
def test_without_a_symbol_the_user_is_asked(name: str, cause: str, take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=f"{cause}.*--symbol"):
        take(name, RUT)
    assert take(name, RUT, symbol="RUT").symbol == "^RUT"


def test_a_symbol_that_contradicts_the_content_is_refused(take: Take) -> None:
    with pytest.raises(ImportRefusedError, match=r"the file says it holds \^NDX, not QQQ; leave out --symbol"):
        take("file.csv", "DATE,NASDAQ100\n2024-07-10,20675.38\n", symbol="QQQ")


def test_a_symbol_that_contradicts_the_name_is_flagged(take: Take) -> None:
    result = take("COR1M_History.csv", "DATE,OPEN,HIGH,LOW,CLOSE\n07/10/2024,13,13,13,13\n", symbol="^VIX")
    assert result.notes[0] == "check: its name speaks of ^COR1M, --symbol of ^VIX"
    assert not take("VIX_History.csv", "DATE,OPEN,HIGH,LOW,CLOSE\n07/10/2024,13,13,13,13\n", symbol="VIX").notes


@pytest.mark.parametrize("symbol", ["", "two words", "ndx;"])
def test_a_symbol_that_is_none(symbol: str, take: Take) -> None:
    with pytest.raises(ImportRefusedError, match="is no symbol; write it like NDX"):
        take("rut.csv", RUT, symbol=symbol)


@pytest.mark.parametrize(
    ("text", "symbol", "cause"),
    [
        (QQQ, "^NDX", "a QQQ price is not an NDX level"),
        (NDX, "QQQ", "an NDX level is not a QQQ price"),
        (RUT, "IWM", "a RUT level is not an IWM price"),
        (NDX, "^RUT", "these are not prices of ^RUT"),
        (RUT.replace(".", ""), "^RUT", "a hundred times too large"),
        (RUT, "^SPX", "its values are the published closes of ^RUT, not of ^SPX"),
        (NDX, "^IXIC", "its values are the published closes of ^NDX, not of ^IXIC"),
        (RUT, "^VIX", "its values are the published closes of ^RUT, not of ^VIX"),
        (QQQ, "^VIX", "these are not values of ^VIX: 497.77 on 2024-07-09 lies outside 5 to 150"),
        (QQQ, "ZQZ24", "these are not values of ZQZ24.CBT"),
        (RUT, "NQU24", "these are not prices of NQU24.CME"),
    ],
)
def test_values_that_are_another_instruments(text: str, symbol: str, cause: str, take: Take) -> None:
    with pytest.raises(ImportRefusedError) as refusal:
        take("file.csv", text, symbol=symbol)
    assert cause in str(refusal.value)


def test_fred_russell_on_base_100_is_not_rut_points(take: Take) -> None:
    text = "DATE,RU2000PR\n2018-01-02,3851.49\n2018-01-03,3857.95\n"
    result = take("rut.csv", text)
    assert result.symbol == "RU2000PR"
    assert "not in RUT points" in result.notes[0]
    with pytest.raises(ImportRefusedError, match=r"the file says it holds RU2000PR, not \^RUT"):
        take("rut.csv", text, symbol="^RUT")
    with pytest.raises(ImportRefusedError, match="the Russell 2000 on FRED's base of 1978"):
        take("rut.csv", text.replace("RU2000PR", "Close"), symbol="^RUT")


def test_prices_of_iwm_that_are_adjusted_are_not_taken_for_traded_ones(take: Take) -> None:
    # RUT closed at 556.91, 651.57 and 828.02 on these days; two decades of dividends take a fifth off the past.
    text = "Date,Close\n2003-12-31,43.5\n2004-12-31,51.6\n2007-10-31,66.4\n"
    result = take("IWM.csv", text)
    assert result.symbol == "IWM:adj"
    assert "dividend-adjusted" in result.notes[0]
