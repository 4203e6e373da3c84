"""Real history, read with pandas and not with the program's own importer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from desktop.analytics.ratio import PairSeries, pair
from desktop.market.quotes import Bars, Closes, Interval, Panel


def _yahoo(path: Path) -> pd.DataFrame:
    three = path.read_text().startswith("Price,")
    return pd.read_csv(path, skiprows=[1, 2] if three else None, index_col=0, parse_dates=True)


def _closes(symbol: str, column: pd.Series) -> Closes:
    column = column.dropna()
    return Closes(symbol, column.index.to_numpy().astype("datetime64[D]"), column.to_numpy(dtype=float))


def _bars(symbol: str, interval: Interval, frame: pd.DataFrame) -> Bars:
    start = frame.index.to_numpy().astype("datetime64[s]").astype(np.int64)
    opens, high, low, close = (frame[name].to_numpy(dtype=float) for name in ("Open", "High", "Low", "Close"))
    return Bars(symbol, interval, start, opens, high, low, close, np.zeros(len(frame)))


@pytest.fixture(scope="session")
def index_frame(real_data: Path) -> pd.DataFrame:
    """Columns rut and ndx, spliced as METHODS names the files; weekend copies dropped."""
    folder = real_data / "index-daily"
    ndx, rut = _yahoo(folder / "ndx-yahoo-1985-2026.csv"), _yahoo(folder / "rut-yahoo-1987-2024.csv")
    later_ndx = pd.read_csv(folder / "spx-ndx-rut-close-yahoo-2024-2026.csv", index_col=0, parse_dates=True)["NDX"]
    later_rut = pd.read_csv(folder / "rut-marketbase-2016-2026.csv", index_col=0, parse_dates=True)["close"]
    weekday = np.is_busday(later_ndx.index.to_numpy().astype("datetime64[D]"))
    later_ndx = later_ndx[weekday & (later_ndx.index > ndx.index[-1])]
    later_rut = later_rut[later_rut.index > rut.index[-1]]
    return pd.DataFrame({"rut": pd.concat([rut["Close"], later_rut]), "ndx": pd.concat([ndx["Close"], later_ndx])})


@pytest.fixture(scope="session")
def rut(index_frame: pd.DataFrame) -> Closes:
    return _closes("^RUT", index_frame["rut"])


@pytest.fixture(scope="session")
def ndx(index_frame: pd.DataFrame) -> Closes:
    return _closes("^NDX", index_frame["ndx"])


@pytest.fixture(scope="session")
def both(rut: Closes, ndx: Closes) -> PairSeries:
    return pair(rut, ndx)


@pytest.fixture(scope="session")
def daily_bars(real_data: Path) -> tuple[Bars, Bars]:
    folder = real_data / "index-daily"
    return (
        _bars("^RUT", Interval.DAY, _yahoo(folder / "rut-yahoo-1987-2024.csv")),
        _bars("^NDX", Interval.DAY, _yahoo(folder / "ndx-yahoo-1985-2026.csv")),
    )


@pytest.fixture(scope="session")
def five_minutes(real_data: Path) -> tuple[Bars, Bars]:
    """RUT and QQQ, five-minute bars of the regular session."""
    found = []
    for symbol, name in (("^RUT", "rut-5m-2024-2026.csv"), ("QQQ", "qqq-5m-2024-2026.csv")):
        frame = pd.read_csv(real_data / "intraday-ibkr" / name)
        frame.index = pd.to_datetime(frame["date"], utc=True).dt.tz_localize(None)
        frame.columns = [column.capitalize() for column in frame.columns]
        found.append(_bars(symbol, Interval.FIVE_MINUTES, frame))
    return found[0], found[1]


@pytest.fixture(scope="session")
def us83(real_data: Path) -> Panel:
    frame = pd.read_csv(
        real_data / "stock-panels" / "us-83-adjclose-2018-2025.csv.gz", index_col=0, parse_dates=True
    )
    days = frame.index.to_numpy().astype("datetime64[D]")
    return Panel("us-83", tuple(frame.columns), days, frame.to_numpy(dtype=float), date(2025, 12, 31))


@pytest.fixture(scope="session")
def cboe(real_data: Path) -> dict[str, Closes]:
    wide = pd.read_csv(
        real_data / "vol-cboe" / "cboe-volatility-wide-1990-2026.csv", index_col=0, parse_dates=True
    )
    series = {name: _closes(name, wide[name]) for name in ("VIX", "VIX3M")}
    history = pd.read_csv(real_data / "vol-cboe" / "COR1M_History.csv")
    history.index = pd.to_datetime(history["DATE"], format="%m/%d/%Y")
    series["COR1M"] = _closes("COR1M", history["CLOSE"])
    return series


@pytest.fixture(scope="session")
def adjusted(real_data: Path) -> tuple[Closes, Closes]:
    """IWM and QQQ, dividend-adjusted."""
    folder = real_data / "etf-daily"
    iwm = _yahoo(folder / "iwm-yahoo-adjusted-2000-2026.csv")["Close"]
    qqq = _yahoo(folder / "qqq-yahoo-1999-2025.csv")["Adj Close"]
    return _closes("IWM", iwm), _closes("QQQ", qqq)
