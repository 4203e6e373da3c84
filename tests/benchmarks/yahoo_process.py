"""Yahoo on loopback in a process of its own, with 40 years of daily bars; tells its port, ends with its input."""

import sys
import time
from datetime import date

from desktop.market.sessions import NYSE
from desktop.market.universe import universe
from desktop.sources.plan import Plan
from tests.sources.yahoo_server import Chart, YahooServer, daily_row, quote_row

days = [str(day) for day in NYSE.days(date(1985, 1, 2), date(2026, 6, 30))]
plan = Plan()
with YahooServer() as server:
    for number, symbol in enumerate((*plan.daily, *universe().tickers)):
        rows = [daily_row(day, 100.0 + number + (place % 50)) for place, day in enumerate(days)]
        server.charts[symbol] = Chart(rows=rows, price=120.0 + number)
    for symbol in plan.live:
        server.quotes[symbol] = quote_row(symbol, 120.0, int(time.time()))
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    sys.stdin.read()
