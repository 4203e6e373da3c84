"""The instruments of the trade and their contract specifications.

Multipliers, ticks and months are CME's and the ETFs' published terms. Plausible ranges bound what a file or
a feed may claim to be a level of the instrument: they catch a QQQ price sold as an NDX level, not a bad day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from desktop.market.sessions import NYSE


class Leg(StrEnum):
    """The two sides of the trade."""

    RUT = "rut"
    NDX = "ndx"


class Kind(StrEnum):
    """What an instrument is; both legs of a comparison must be of the same kind."""

    INDEX = "index"
    ETF = "etf"
    FUTURE = "future"
    VOLATILITY = "volatility"
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable or observable thing.

    `symbol` is Yahoo's spelling. `calendar` names the exchange calendar (XNYS or CMES). `multiplier_usd` is
    dollars per point (1 for a share); `tick` the smallest price step. `root` is the CME root of a future.
    """

    symbol: str
    name: str
    kind: Kind
    leg: Leg | None = None
    calendar: str = "XNYS"
    multiplier_usd: float = 1.0
    tick: float = 0.01
    root: str = ""


_ALL = (
    Instrument("^RUT", "Russell 2000", Kind.INDEX, Leg.RUT),
    Instrument("^NDX", "Nasdaq-100", Kind.INDEX, Leg.NDX),
    Instrument("^SPX", "S&P 500", Kind.INDEX),
    Instrument("IWM", "iShares Russell 2000 ETF", Kind.ETF, Leg.RUT),
    Instrument("QQQ", "Invesco QQQ", Kind.ETF, Leg.NDX),
    Instrument("RTY=F", "E-mini Russell 2000", Kind.FUTURE, Leg.RUT, "CMES", 50.0, 0.10, "RTY"),
    Instrument("NQ=F", "E-mini Nasdaq-100", Kind.FUTURE, Leg.NDX, "CMES", 20.0, 0.25, "NQ"),
    Instrument("M2K=F", "Micro E-mini Russell 2000", Kind.FUTURE, Leg.RUT, "CMES", 5.0, 0.10, "M2K"),
    Instrument("MNQ=F", "Micro E-mini Nasdaq-100", Kind.FUTURE, Leg.NDX, "CMES", 2.0, 0.25, "MNQ"),
    Instrument("^VIX", "Cboe Volatility Index", Kind.VOLATILITY),
    Instrument("^VIX3M", "Cboe 3-Month Volatility Index", Kind.VOLATILITY),
    Instrument("^VXN", "Cboe Nasdaq-100 Volatility Index", Kind.VOLATILITY),
    Instrument("^RVX", "Cboe Russell 2000 Volatility Index", Kind.VOLATILITY),
    Instrument("^COR1M", "Cboe 1-Month Implied Correlation", Kind.VOLATILITY),
    Instrument("^DSPX", "Cboe S&P 500 Dispersion Index", Kind.VOLATILITY),
    Instrument("^VIXEQ", "Cboe S&P 500 Constituent Volatility Index", Kind.VOLATILITY),
)
INSTRUMENTS = {one.symbol: one for one in _ALL}

PAIRS: dict[Kind, dict[Leg, str]] = {
    Kind.INDEX: {Leg.RUT: "^RUT", Leg.NDX: "^NDX"},
    Kind.FUTURE: {Leg.RUT: "RTY=F", Leg.NDX: "NQ=F"},
    Kind.ETF: {Leg.RUT: "IWM", Leg.NDX: "QQQ"},
}
"""The symbols that stand for the two legs, by kind."""

LIVE_SYMBOLS = ("^RUT", "^NDX", "RTY=F", "NQ=F", "IWM", "QQQ", "^VIX", "^VIX3M")
"""What is quoted all day, in one batch."""

QUARTERLY_MONTHS = (3, 6, 9, 12)
_MONTH_CODES = "FGHJKMNQUVXZ"
_ROLL_BEFORE_EXPIRY = timedelta(days=4)
"""CME names the Monday before the third Friday as the roll date of equity index futures."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One dated futures contract: `code` as in MNQU4, `label` as in "MNQ Sep 24"."""

    root: str
    month: date
    roll: date

    @property
    def expiry(self) -> date:
        """Last trading day: the third Friday, whose open settles the futures, or the session before a holiday."""
        friday = third_friday(self.month.year, self.month.month)
        return friday if NYSE.session(friday) is not None else NYSE.previous(friday).day

    @property
    def code(self) -> str:
        """Root, month letter, last digit of the year."""
        return f"{self.root}{_MONTH_CODES[self.month.month - 1]}{self.month.year % 10}"

    @property
    def label(self) -> str:
        """Root, month and year in words."""
        return f"{self.root} {self.month:%b} {self.month:%y}"


def third_friday(year: int, month: int) -> date:
    """Where it is no holiday, the expiry day of the quarterly equity index futures."""
    first = date(year, month, 1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 14)


def front_contract(root: str, day: date) -> Contract:
    """The quarterly contract that is traded on `day`: the first whose roll date lies after it."""
    year, month = day.year, QUARTERLY_MONTHS[(day.month - 1) // 3]
    while True:
        roll = third_friday(year, month) - _ROLL_BEFORE_EXPIRY
        if day < roll:
            return Contract(root, date(year, month, 1), roll)
        year, month = (year + 1, 3) if month == 12 else (year, month + 3)


def rolled_out_of(root: str, day: date) -> Contract | None:
    """The contract that was rolled out of and still trades on `day`: a vendor's continuous quote may be of it."""
    before = front_contract(root, day - timedelta(days=_ROLL_BEFORE_EXPIRY.days + 1))
    return before if before.roll <= day <= before.expiry else None
