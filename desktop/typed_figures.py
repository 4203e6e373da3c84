"""Figures that no source gives: typed in by the user, each with the day it is of.

A figure counts when both its value and its day can be read. Until then the one it replaces, where there is one, is
not used silently: what rests on it is unknown, with the cause and the cure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from desktop.analytics.flow import Figure, FlowInputs
from desktop.analytics.rates import DayRule
from desktop.market.known import Unknown
from desktop.market.universe import Group, universe
from desktop.settings import Settings
from desktop.trade.typed import FieldError, parse_number, parse_percent

TYPED = "typed"
"""Source of such a figure."""
FIELD, DATED = "figure_", "_dated"
"""Before and behind a figure's name: the fields of the settings that hold value and day, as typed."""
_LIKE = "write it like 2024-06-28"
_FORMS = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%Y/%m/%d")
_WEIGHTS_LIKE = "write NVDA 7.5, MSFT 8.4, and so on"


@dataclass(frozen=True, slots=True)
class Asked:
    """One figure that can be typed: its name, what it is, its unit, and the claim it serves."""

    name: str
    label: str
    unit: str
    claim: str
    help: str


FIGURES: tuple[Asked, ...] = (
    Asked("cap_usd", "Largest cap", "$", "flow_asymmetry", "Value of the largest company, such as 3,000bn"),
    Asked("median_company_usd", "Median cap", "$", "flow_asymmetry", "Of the Russell 2000, by value"),
    Asked("index_cap_usd", "Index cap", "$", "flow_asymmetry", "Market value of the whole index"),
    Asked("share", "Part moved", "%", "flow_asymmetry", "Part of the largest company that is sold"),
    Asked("daily_vol_pct", "Daily vol", "%", "flow_asymmetry", "Of the Russell 2000, one day"),
    Asked("turnover_usd", "Turnover", "$", "flow_asymmetry", "Of all Russell 2000 companies"),
    Asked("impact_y", "Impact Y", "", "flow_asymmetry", "Of the square-root law, about 1"),
    Asked("pe_qqq", "P/E of QQQ", "×", "valuation_gap", "As its provider publishes it"),
    Asked("pe_iwm", "P/E of IWM", "×", "valuation_gap", "As its provider publishes it, by the same rule as QQQ's"),
    Asked(
        "weights",
        "Weights in the NDX",
        "%",
        "mega_cap_contribution",
        "All seven, as the index provider publishes them; both classes of Alphabet together as GOOGL",
    ),
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the seven names in the index, percent, and the day they are of."""

    by_name: Mapping[str, float]
    dated: date


@dataclass(frozen=True, slots=True)
class Typed:
    """One figure as it stands in its two fields, and what is wrong with each ("" when nothing is)."""

    asked: Asked
    text: str
    dated_text: str
    error: str = ""
    dated_error: str = ""
    dated: date | None = None
    """The day, where it counts."""

    @property
    def problem(self) -> str:
        """What keeps it from counting, with the cure; "" when it counts, or when nothing is typed at all."""
        return f"{self.asked.label}: {self.error or self.dated_error}" if self.error or self.dated_error else ""


@dataclass(frozen=True, slots=True, eq=False)
class TypedFigures:
    """Everything that was typed, read; one object as long as the settings say the same."""

    fields: tuple[Typed, ...]
    day_rule: DayRule
    flow: FlowInputs | Unknown
    pe_qqq: Figure | Unknown
    pe_iwm: Figure | Unknown
    weights: Weights | Unknown

    def of_claim(self, claim: str) -> tuple[Typed, ...]:
        """The figures that a claim rests on."""
        return tuple(one for one in self.fields if one.asked.claim == claim)


def seven() -> tuple[str, ...]:
    """Return the tickers of the seven names, in the order of the universe's file."""
    return universe().in_group(Group.MEGA7)


class FigureReader:
    """Reads the typed figures of the settings, once as long as they are the same."""

    def __init__(self) -> None:
        self._key: tuple[str, ...] | None = None
        self._read: TypedFigures | None = None

    def read(self, settings: Settings) -> TypedFigures:
        """Return the figures of `settings`."""
        key = (settings.day_rule, *(text for one in FIGURES for text in _texts(settings, one)))
        if self._read is None or key != self._key:
            self._key, self._read = key, _read(settings)
        return self._read


def _texts(settings: Settings, asked: Asked) -> tuple[str, str]:
    name = FIELD + asked.name
    return getattr(settings, name), getattr(settings, name + DATED)


def _read(settings: Settings) -> TypedFigures:
    fields: list[Typed] = []
    figures: dict[str, Figure] = {}
    weights: Weights | Unknown = Unknown("the weights have no source: type them, with their day, under Evidence")
    for asked in FIGURES:
        text, dated_text = _texts(settings, asked)
        if not text.strip() and not dated_text.strip():
            fields.append(Typed(asked, text, dated_text))
            continue
        error, value = _try(_READERS.get(asked.name, _positive), text)
        dated_error, dated = _try(parse_day, dated_text)
        day = dated if isinstance(dated, date) else None
        fields.append(Typed(asked, text, dated_text, error, dated_error, day))
        if day is None:
            continue
        if isinstance(value, dict):
            weights = Weights(value, day)
        elif isinstance(value, float):
            figures[asked.name] = Figure(value, day, TYPED)
    problems = {one.asked.name: one.problem for one in fields if one.problem}
    if "weights" in problems:
        weights = Unknown(problems["weights"])
    return TypedFigures(
        fields=tuple(fields),
        day_rule=DayRule(settings.day_rule),
        flow=_flow(figures, problems),
        pe_qqq=figures.get("pe_qqq") or _untyped("QQQ", problems.get("pe_qqq")),
        pe_iwm=figures.get("pe_iwm") or _untyped("IWM", problems.get("pe_iwm")),
        weights=weights,
    )


def _flow(figures: Mapping[str, Figure], problems: Mapping[str, str]) -> FlowInputs | Unknown:
    names = [one.name for one in FIGURES if one.claim == "flow_asymmetry"]
    if wrong := [problems[name] for name in names if name in problems]:
        return Unknown("; ".join(wrong))
    return FlowInputs(**{name: figures[name] for name in names if name in figures})


def _untyped(fund: str, problem: str | None) -> Unknown:
    return Unknown(problem or f"no source here gives the P/E of {fund}: type it, with its day, under Evidence")


def _try(read: Callable[[str], object], text: str) -> tuple[str, object]:
    """What is wrong with `text` ("" when nothing is), and what it means."""
    try:
        return "", read(text)
    except FieldError as error:
        return error.why, None


def parse_day(text: str) -> date:
    """Return the day that was typed: 2024-06-28, or 28 Jun 2024.

    Raises
    ------
    FieldError
        For anything else, with the form that is taken.
    """
    tidy = " ".join(text.split())
    if not tidy:
        raise FieldError("", text, f"of which day is it? {_LIKE}")
    for form in _FORMS:
        try:
            return datetime.strptime(tidy, form).date()  # noqa: DTZ007  (a day, no moment)
        except ValueError:
            continue
    raise FieldError("", text, f"is not a day: {_LIKE}")


def parse_weights(text: str) -> dict[str, float]:
    """Return the weights in percent by name: "NVDA 7.5, MSFT 8.4, ..." with a comma or a line between names.

    Raises
    ------
    FieldError
        Where a name is none of the seven, stands there twice or is missing, or where a weight is none.
    """
    names, found = seven(), dict[str, float]()
    for part in filter(None, (one.strip() for one in text.replace("\n", ",").replace(";", ",").split(","))):
        name, _, number = part.replace(":", " ").replace("=", " ").partition(" ")
        name = name.upper()
        if name == "GOOG":
            raise FieldError("", text, "GOOG: type both classes of Alphabet together, as GOOGL")
        if name not in names:
            raise FieldError("", text, f"{part!r} does not begin with one of {', '.join(names)}: {_WEIGHTS_LIKE}")
        if name in found:
            raise FieldError("", text, f"{name} stands there twice: keep one")
        try:
            weight = 100.0 * parse_percent(number)
        except FieldError as error:
            raise FieldError("", text, f"the weight of {name}, {error}") from error
        if not 0 < weight < 100:
            raise FieldError("", text, f"{name} {weight:g}: a weight lies between 0 and 100 %")
        found[name] = weight
    if missing := [name for name in names if name not in found]:
        raise FieldError("", text, f"{', '.join(missing)} missing: {_WEIGHTS_LIKE}")
    if (total := sum(found.values())) >= 100:
        raise FieldError("", text, f"together {total:g} %: there are other names, so the seven are below 100 %")
    return found


def _positive(text: str) -> float:
    value = parse_number(text)
    return _above_zero(value, text)


def _above_zero(value: float, text: str) -> float:
    if value <= 0:
        raise FieldError("", text, "must be above zero")
    return value


def _share(text: str) -> float:
    value = _above_zero(parse_percent(text), text)
    if value > 1:
        raise FieldError("", text, "is a part of the company: at most 100 %")
    return value


def _percent(text: str) -> float:
    return 100.0 * _above_zero(parse_percent(text), text)


_READERS: Mapping[str, Callable[[str], object]] = {
    "share": _share,
    "daily_vol_pct": _percent,
    "weights": parse_weights,
}
