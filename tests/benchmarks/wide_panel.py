"""Rolling mean pairwise correlation of 2,000 stocks over 2,520 days: tells seconds and peak memory in MB."""

import sys
from pathlib import Path
from time import perf_counter

import numpy as np

from desktop.analytics.correlation import Returns, rolling_mean_pairwise

days, stocks = 2520, 2000
random = np.random.default_rng(7)
table = random.normal(0, 0.01, (days, stocks))
table += random.normal(0, 0.008, (days, 1))
dates = np.datetime64("2015-01-01") + np.arange(days)
returns = Returns(tuple(map(str, range(stocks))), dates, table, dates[:0])
start = perf_counter()
found = rolling_mean_pairwise(returns, 21)
seconds = perf_counter() - start
assert np.isfinite(found.mean_pairwise[-1])
# Not ru_maxrss: a process inherits that of the one that started it.
status = Path("/proc/self/status").read_text()
peak_kb = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
sys.stdout.write(f"{seconds} {int(peak_kb) / 1024}\n")
