"""Each user choice, declared once: key, type, default, bounds, help. Kept as TOML in the data folder."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

FILE_NAME = "settings.toml"


class SettingError(ValueError):
    """A value that a setting cannot take; carries key, value, and what would be allowed."""

    def __init__(self, key: str, value: object, why: str) -> None:
        super().__init__(f"setting {key} = {value!r}: {why}")
        self.key, self.value, self.why = key, value, why


@dataclass(frozen=True, slots=True)
class Spec:
    """What is declared about one setting."""

    key: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


def _setting(
    key: str,
    default: Any,  # noqa: ANN401  (one of str, float, int, bool; the field's own annotation says which)
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401
    return field(default=default, metadata={"spec": Spec(key, text, low, high, choices)})


def _figure(name: str, what: str) -> Any:  # noqa: ANN401
    return _setting(f"thesis.figures.{name}", "", f"{what}; empty for none.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All choices, immutable; `dataclasses.replace` makes the next one."""

    theme: str = _setting(
        "appearance.theme", "system", "Colours of the window.", choices=("system", "dark", "light")
    )
    stream: bool = _setting(
        "sources.stream", False, "Listen to Yahoo's stream beside asking for prices: faster, and less dependable."
    )
    welcomed: bool = _setting("appearance.welcomed", False, "Whether the first-run page was shown.")
    updates_url: str = _setting(
        "updates.url", "", "Address that tells the newest version, asked at most once a day; empty for never."
    )
    universe: str = _setting(
        "universe",
        "",
        "Names behind the correlation gauge: the name of an imported panel, `built-in`, or empty for the newest.",
    )
    reference: str = _setting(
        "divergence.reference",
        "prior_close",
        "What the intraday divergence is measured from.",
        choices=("prior_close", "open", "release"),
    )
    max_leg_gap_s: float = _setting(
        "divergence.max_leg_gap_s", 60.0, "Legs further apart than this are not compared (s).", low=1, high=3600
    )
    max_age_s: float = _setting(
        "divergence.max_age_s", 1200.0, "Prices older than this are not compared (s).", low=5, high=7200
    )
    truth_gap_pp: float = _setting(
        "divergence.truth_gap_pp", 0.5, "Index, ETF and future may differ by this much (pp).", low=0.05, high=5
    )
    correlation_percentile: float = _setting(
        "regime.correlation_percentile", 0.90, "Correlation is high from this 1-year percentile.", low=0.5, high=1
    )
    correlation_jump: float = _setting(
        "regime.correlation_jump", 0.15, "Correlation jumps when its 5-day change reaches this.", low=0.01, high=1
    )
    volatility_percentile: float = _setting(
        "regime.volatility_percentile", 0.90, "VIX is high from this 1-year percentile.", low=0.5, high=1
    )
    term_structure: float = _setting(
        "regime.term_structure", 1.0, "VIX/VIX3M above this is a volatility alarm.", low=0.5, high=2
    )
    breadth: float = _setting(
        "regime.breadth", 0.80, "Share of names down on the worst day for a broad fall.", low=0.5, high=1
    )
    momentum_sigma: float = _setting(
        "regime.momentum_sigma",
        2.0,
        "Momentum unwinds when its 5-day return falls by this many σ.",
        low=0.1,
        high=10,
    )
    enter_days: int = _setting("regime.enter_days", 2, "Days before a regime is entered.", low=1, high=20)
    leave_days: int = _setting("regime.leave_days", 5, "Days before a regime is left.", low=1, high=60)
    alerts_max_age_s: float = _setting(
        "alerts.max_age_s", 120.0, "Alerts never fire on prices older than this (s).", low=5, high=3600
    )
    calendar_hidden: str = _setting(
        "calendar.hidden",
        "",
        "Kinds that the calendar and the rails of the charts leave out, with commas between.",
    )
    rails: bool = _setting("calendar.rails", True, "Mark releases and other dated events on every time axis.")
    release_sound: bool = _setting(
        "calendar.sound", False, "A sound ten seconds before an armed release, and when it is due."
    )
    capital: str = _setting("sizer.capital", "2,000,000", "Capital (USD), as typed.")
    gross_cap: str = _setting("sizer.gross_cap", "2,000,000", "Most that long plus short may be (USD), as typed.")
    vol_target: str = _setting("sizer.vol_target", "8", "Annual volatility target (% of capital), as typed.")
    risk: str = _setting("sizer.risk", "1.0", "Money lost at the stop (% of capital), as typed.")
    stop: str = _setting(
        "sizer.stop", "auto", "Stop as NDX/RUT ratio, as typed; empty for none, auto for a suggestion."
    )
    target: str = _setting(
        "sizer.target", "auto", "Target as NDX/RUT ratio, as typed; empty for none, auto for a suggestion."
    )
    rut_price: str = _setting("sizer.rut_price", "", "Price of the RUT leg, as typed; empty takes the quote.")
    ndx_price: str = _setting("sizer.ndx_price", "", "Price of the NDX leg, as typed; empty takes the quote.")
    rut_vol: str = _setting(
        "sizer.rut_vol", "", "Volatility of RUT (% a year), as typed; empty takes the market's."
    )
    ndx_vol: str = _setting(
        "sizer.ndx_vol", "", "Volatility of NDX (% a year), as typed; empty takes the market's."
    )
    rho: str = _setting("sizer.rho", "", "Correlation of RUT and NDX, as typed; empty takes the market's.")
    beta: str = _setting("sizer.beta", "", "Beta of RUT on NDX, as typed; empty takes the market's.")
    margin_iwm: str = _setting("sizer.margin.iwm", "", "Margin of a share of IWM (USD), as typed.")
    margin_qqq: str = _setting("sizer.margin.qqq", "", "Margin of a share of QQQ (USD), as typed.")
    margin_rty: str = _setting("sizer.margin.rty", "", "Margin of an RTY contract (USD), as typed.")
    margin_m2k: str = _setting("sizer.margin.m2k", "", "Margin of an M2K contract (USD), as typed.")
    margin_nq: str = _setting("sizer.margin.nq", "", "Margin of an NQ contract (USD), as typed.")
    margin_mnq: str = _setting("sizer.margin.mnq", "", "Margin of an MNQ contract (USD), as typed.")
    margin_iwm_day: str = _setting("sizer.margin.iwm_day", "", "Day the margin of IWM was asked on, as typed.")
    margin_qqq_day: str = _setting("sizer.margin.qqq_day", "", "Day the margin of QQQ was asked on, as typed.")
    margin_rty_day: str = _setting("sizer.margin.rty_day", "", "Day the margin of RTY was asked on, as typed.")
    margin_m2k_day: str = _setting("sizer.margin.m2k_day", "", "Day the margin of M2K was asked on, as typed.")
    margin_nq_day: str = _setting("sizer.margin.nq_day", "", "Day the margin of NQ was asked on, as typed.")
    margin_mnq_day: str = _setting("sizer.margin.mnq_day", "", "Day the margin of MNQ was asked on, as typed.")
    holding_days: str = _setting("sizer.costs.holding_days", "20", "Calendar days held, as typed.")
    share_commission: str = _setting(
        "sizer.costs.share_commission", "0.005", "Commission and fees a share and trade (USD), as typed."
    )
    micro_commission: str = _setting(
        "sizer.costs.micro_commission", "0.60", "Commission and fees a micro contract and trade (USD), as typed."
    )
    mini_commission: str = _setting(
        "sizer.costs.mini_commission", "2.25", "Commission and fees a mini contract and trade (USD), as typed."
    )
    half_spread: str = _setting(
        "sizer.costs.half_spread", "0.5", "Half a spread, given up a unit and trade (ticks), as typed."
    )
    borrow: str = _setting("sizer.costs.borrow", "0.3", "Fee for shares sold short (% a year), as typed.")
    rut_dividend: str = _setting(
        "sizer.costs.rut_dividend", "1.3", "Dividend yield of the Russell 2000 (% a year), as typed."
    )
    ndx_dividend: str = _setting(
        "sizer.costs.ndx_dividend", "0.7", "Dividend yield of the Nasdaq-100 (% a year), as typed."
    )
    financing: str = _setting("sizer.costs.financing", "4", "Interest (% a year), as typed.")
    held: str = _setting("sizer.held", "", "What is held already and to be hedged, as typed: +500 IWM or -3 NQ.")
    what_path: str = _setting(
        "sizer.what_if.path",
        "free",
        "How the what-if moves the legs.",
        choices=("free", "ndx_flat", "rut_flat", "symmetric"),
    )
    what_rut: str = _setting("sizer.what_if.rut", "0", "What-if move of RUT (%), as typed.")
    what_ndx: str = _setting("sizer.what_if.ndx", "0", "What-if move of NDX (%), as typed.")
    what_ratio: str = _setting("sizer.what_if.ratio", "0", "What-if move of the ratio (%), as typed.")
    order_age_s: float = _setting(
        "orders.fresh_s",
        60.0,
        "Prices older than this go into an order file only on confirmation (s).",
        low=1,
        high=3600,
    )
    typed_hedge: str = _setting("sizer.typed_hedge", "", "Hedge ratio short/long, as typed; empty for none.")
    sizing: str = _setting("sizer.sizing", "stop", "What decides the size.", choices=("cap", "vol_target", "stop"))
    hedge: str = _setting(
        "sizer.hedge",
        "beta-ndx",
        "Which hedge is traded.",
        choices=("dollar", "beta-ndx", "beta-spx", "vol", "typed"),
    )
    instrument: str = _setting(
        "sizer.instrument", "micro", "What is traded.", choices=("etf", "micro", "mini", "mixed")
    )
    kill_stretched: str = _setting(
        "thesis.kill.stretched", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_mean_reversion: str = _setting(
        "thesis.kill.mean_reversion", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_divergence_rare: str = _setting(
        "thesis.kill.divergence_rare", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_continued: str = _setting(
        "thesis.kill.continued", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_correlations_low: str = _setting(
        "thesis.kill.correlations_low", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_orderly: str = _setting(
        "thesis.kill.orderly", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_cuts_priced: str = _setting(
        "thesis.kill.cuts_priced", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_two_year_explains: str = _setting(
        "thesis.kill.two_year_explains", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_under_owned: str = _setting(
        "thesis.kill.under_owned", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_flow_asymmetry: str = _setting(
        "thesis.kill.flow_asymmetry", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_mega_cap_contribution: str = _setting(
        "thesis.kill.mega_cap_contribution", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_election_july_august: str = _setting(
        "thesis.kill.election_july_august", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_election_october: str = _setting(
        "thesis.kill.election_october", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_fall_less: str = _setting(
        "thesis.kill.fall_less", "", "Level at which this claim is given up, as typed; empty for none."
    )
    kill_valuation_gap: str = _setting(
        "thesis.kill.valuation_gap", "", "Level at which this claim is given up, as typed; empty for none."
    )
    day_rule: str = _setting(
        "thesis.day_rule",
        "old_rate",
        "Rate that holds on the day of a Fed decision: the old one (right), or the new one (printed examples).",
        choices=("old_rate", "new_rate"),
    )
    figure_cap_usd: str = _figure("cap_usd", "Value of the largest company (USD), as typed")
    figure_cap_usd_dated: str = _figure("cap_usd_dated", "Day of that figure")
    figure_median_company_usd: str = _figure("median_company_usd", "Value of the median small cap (USD), as typed")
    figure_median_company_usd_dated: str = _figure("median_company_usd_dated", "Day of that figure")
    figure_index_cap_usd: str = _figure("index_cap_usd", "Value of the Russell 2000 (USD), as typed")
    figure_index_cap_usd_dated: str = _figure("index_cap_usd_dated", "Day of that figure")
    figure_share: str = _figure("share", "Part of the largest company that moves (%), as typed")
    figure_share_dated: str = _figure("share_dated", "Day of that figure")
    figure_daily_vol_pct: str = _figure("daily_vol_pct", "Daily volatility of the Russell 2000 (%), as typed")
    figure_daily_vol_pct_dated: str = _figure("daily_vol_pct_dated", "Day of that figure")
    figure_turnover_usd: str = _figure("turnover_usd", "Daily turnover of the Russell 2000 (USD), as typed")
    figure_turnover_usd_dated: str = _figure("turnover_usd_dated", "Day of that figure")
    figure_impact_y: str = _figure("impact_y", "Factor of the square-root impact law, as typed")
    figure_impact_y_dated: str = _figure("impact_y_dated", "Day of that figure")
    figure_pe_qqq: str = _figure("pe_qqq", "P/E of QQQ, as typed")
    figure_pe_qqq_dated: str = _figure("pe_qqq_dated", "Day of that figure")
    figure_pe_iwm: str = _figure("pe_iwm", "P/E of IWM, as typed")
    figure_pe_iwm_dated: str = _figure("pe_iwm_dated", "Day of that figure")
    figure_weights: str = _figure("weights", "Weights of the seven largest companies in the NDX (%), as typed")
    figure_weights_dated: str = _figure("weights_dated", "Day of that figure")


def spec_of(name: str) -> Spec:
    """Declaration of the setting held in field `name`."""
    return _SPECS[name]


_SPECS: Mapping[str, Spec] = {one.name: one.metadata["spec"] for one in fields(Settings)}


def _checked(name: str, value: object) -> Any:  # noqa: ANN401
    spec = _SPECS[name]
    default = next(one.default for one in fields(Settings) if one.name == name)
    wanted = type(default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted:
        raise SettingError(spec.key, value, f"must be {_TYPE_WORDS[wanted]}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not isfinite(value):
            raise SettingError(spec.key, value, "must be a finite number")
        if (spec.low is not None and value < spec.low) or (spec.high is not None and value > spec.high):
            raise SettingError(spec.key, value, f"must lie between {spec.low:g} and {spec.high:g}")
    if spec.choices and value not in spec.choices:
        raise SettingError(spec.key, value, f"must be one of {', '.join(spec.choices)}")
    return value


_TYPE_WORDS: Mapping[type, str] = {str: "text", float: "a number", int: "a whole number", bool: "true or false"}


def changed(settings: Settings, name: str, value: object) -> Settings:
    """`settings` with one field changed; raises SettingError when the value is not allowed."""
    return replace(settings, **{name: _checked(name, value)})


def load(folder: Path) -> tuple[Settings, tuple[str, ...]]:
    """Read `folder`/settings.toml.

    Returns the settings and one line per problem. A value that is not allowed leaves that one default; a file
    that is no TOML is kept aside as settings.toml.bad, or left where it is if the folder cannot be written. No
    file means all defaults.
    """
    path = folder / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        kept = _set_aside(path)
        return Settings(), (f"{path} could not be read ({error}); {kept}, defaults are used",)
    except OSError as error:
        return Settings(), (f"{path} could not be read ({error.strerror or error}); defaults are used",)
    problems: list[str] = []
    settings = Settings()
    for name, spec in _SPECS.items():
        value = _lookup(document, spec.key)
        if value is MISSING:
            continue
        try:
            settings = changed(settings, name, value)
        except SettingError as error:
            problems.append(f"{error}; the default is used")
    return settings, tuple(problems)


def _set_aside(path: Path) -> str:
    aside = path.with_suffix(".toml.bad")
    try:
        path.replace(aside)
    except OSError as error:
        return f"left as it is ({error.strerror or error})"
    return f"kept as {aside.name}"


def save(settings: Settings, folder: Path) -> None:
    """Write what differs from the defaults, atomically; keys of other versions stay as they are."""
    import tomli_w

    path = folder / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        document = {}
    for one in fields(Settings):
        value = getattr(settings, one.name)
        _assign(document, _SPECS[one.name].key, MISSING if value == one.default else value)
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".toml.new")
    draft.write_text(tomli_w.dumps(document), encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105  (Path.replace is the same call; this names the atomic one)


def _lookup(document: Mapping[str, Any], key: str) -> object:
    here: Any = document
    for part in key.split("."):
        if not isinstance(here, dict) or part not in here:
            return MISSING
        here = here[part]
    return here


def _assign(document: dict[str, Any], key: str, value: object) -> None:
    *tables, last = key.split(".")
    here = document
    for part in tables:
        inner = here.get(part)
        if not isinstance(inner, dict):
            if value is MISSING:
                return
            inner = here[part] = {}
        here = inner
    if value is MISSING:
        here.pop(last, None)
    else:
        here[last] = value
