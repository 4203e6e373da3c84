"""Which instrument a file is about: what it says itself, then its name, then the user."""

from __future__ import annotations

import re

from desktop.market.instruments import INSTRUMENTS
from desktop.market.universe import universe
from desktop.sources.files.result import Request

INDEX_NAMES = {
    "NDX": "^NDX",
    "RUT": "^RUT",
    "SPX": "^SPX",
    "GSPC": "^SPX",
    "IXIC": "^IXIC",
    "DJI": "^DJI",
    "NASDAQ100": "^NDX",
    "NASDAQCOM": "^IXIC",
    "SP500": "^SPX",
    "DJIA": "^DJI",
    "RU2000PR": "RU2000PR",
}
"""Names of equity indices, FRED's included. RU2000PR is the Russell 2000 on base 100 = 1978-12-31, not RUT."""

FRED_VOLATILITY = {"VIXCLS": "^VIX", "VXNCLS": "^VXN", "RVXCLS": "^RVX", "VXVCLS": "^VIX3M"}

_CBOE = """
VIX VIX1D VIX9D VIX3M VIX6M VIX1Y VXV VXN RVX VXD VVIX SKEW OVX GVZ VXSL VIN VIF VXTH VTLT VXGO VXGS VXAP VXAZ VXIB
VXNG VXEEM VXHY VEWZ COR1M COR3M DSPX VIXEQ
"""
CBOE_NAMES = frozenset(_CBOE.split())
"""Indices that Cboe publishes daily; each is stored as its name with a caret."""

_ALIASES = {**INDEX_NAMES, **FRED_VOLATILITY, **{name: f"^{name}" for name in CBOE_NAMES}}

_EXCHANGES = {"NQ": "CME", "MNQ": "CME", "RTY": "CME", "M2K": "CME", "ES": "CME", "MES": "CME", "ZQ": "CBT"}
"""Roots of futures and the exchange in Yahoo's spelling of one contract."""

_MONTHS = "FGHJKMNQUVXZ"
_CONTRACT = re.compile(r"([A-Z0-9]{2,3}?)([FGHJKMNQUVXZ])(\d{2})(?:\.(?:CME|CBT))?")
_DATED_FILE = re.compile(r"([a-z0-9]{2,3})[-_]?((?:19|20)\d{2})[-_]?(0[1-9]|1[0-2])(?![0-9])")
_SYMBOL = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}(:adj)?")


def canonical(name: str) -> str | None:
    """Our spelling of a symbol (NDX, ^GSPC, NQU26, iwm, ...); None when it is none."""
    name = name.strip()
    upper = name.removesuffix(":adj").upper()
    if found := known(upper):
        return found if not name.endswith(":adj") else f"{found}:adj"
    symbol = upper + (":adj" if name.endswith(":adj") else "")
    return symbol if _SYMBOL.fullmatch(symbol) else None


def contract_parts(code: str) -> tuple[str, str, str] | None:
    """Root, month letter and two-digit year of a futures contract such as NQU26 or ZQF24.CBT."""
    match = _CONTRACT.fullmatch(code.upper())
    return (match[1], match[2], match[3]) if match else None


def contract_symbol(code: str) -> str | None:
    """Yahoo's spelling of a contract of a known root (NQU26 becomes NQU26.CME), else None."""
    parts = contract_parts(code)
    if parts is None or parts[0] not in _EXCHANGES:
        return None
    return f"{''.join(parts)}.{_EXCHANGES[parts[0]]}"


def root_of(symbol: str) -> str | None:
    """Root of a known future (NQ of NQU26.CME and NQ=F), else None."""
    if symbol.endswith("=F"):
        return symbol.removesuffix("=F")
    parts = contract_parts(symbol) if symbol.endswith((".CME", ".CBT")) else None
    return parts[0] if parts else None


def named_by_file(stem: str) -> tuple[str, ...]:
    """Symbols that a file name speaks of: `rut-5m-2024` of ^RUT, `nq-202609` of one contract, `AAPL` of AAPL."""
    lower = stem.lower()
    if (dated := _DATED_FILE.match(lower)) and dated[1].upper() in _EXCHANGES:
        root, year, month = dated[1].upper(), dated[2], int(dated[3])
        return (f"{root}{_MONTHS[month - 1]}{year[2:]}.{_EXCHANGES[root]}",)
    words = [word for word in re.split(r"[^A-Za-z0-9=.]+", stem) if word]
    found = dict.fromkeys(symbol for word in words if (symbol := known(word)))
    if found:
        return tuple(found)
    return (words[0],) if words and words[0] in universe().tickers else ()


def known(name: str) -> str | None:
    """Our spelling of an index, an instrument or a futures contract; None for every other name."""
    upper = name.upper()
    if alias := _ALIASES.get(upper.removeprefix("^")):
        return alias
    return upper if upper in INSTRUMENTS else contract_symbol(upper)


def resolve(request: Request, content: str | None) -> str:
    """Symbol of a file of one instrument.

    `content` is what the file says itself. A symbol the user names must agree with it: a file that calls
    itself ^NDX is not stored as QQQ. Without either, the name of the file decides; without that, nothing does.
    """
    said = canonical(content) if content else None
    if content and said is None:
        raise request.refuse(f"it names a symbol that is none ({content[:40]!r})", "correct its header")
    if request.symbol is not None:
        if said is not None and said != request.symbol:
            raise request.refuse(
                f"the file says it holds {said}, not {request.symbol}",
                "leave out --symbol, or choose the right file",
            )
        return request.symbol
    if said is not None:
        return said
    guesses = named_by_file(stem(request.path.name))
    if len(guesses) > 1:
        raise request.refuse(
            f"its name speaks of {' and '.join(guesses)} and its content of none", "say which with --symbol"
        )
    if not guesses:
        raise request.refuse(
            "neither its content nor its name says which instrument it is", "say it with --symbol"
        )
    return guesses[0]


def no_symbol_here(request: Request, what: str) -> None:
    """Refuse a symbol from the user where the file names its own series or holds several."""
    if request.symbol is not None:
        raise request.refuse(f"--symbol {request.symbol} does not fit: {what}", "import it without --symbol")


def stem(name: str) -> str:
    """File name without .csv, .txt and .gz."""
    return re.sub(r"(\.csv|\.txt)?(\.gz)?$", "", name, flags=re.IGNORECASE)
