"""A process that only wakes every 2 ms until its input ends: how late it wakes is the noise of the machine.

Tells the 99th percentile and the longest of its turns (ms), how many took more than 30 ms, and how many it made.
"""

import sys
import threading
from time import perf_counter, sleep

over = threading.Event()


def wait() -> None:
    sys.stdin.read()
    over.set()


threading.Thread(target=wait, daemon=True).start()
gaps, last = [], perf_counter()
while not over.is_set():
    sleep(0.002)
    now = perf_counter()
    gaps.append(1000 * (now - last))
    last = now
gaps.sort()
late = sum(gap > 30 for gap in gaps)
sys.stdout.write(f"{gaps[len(gaps) * 99 // 100]} {gaps[-1]} {late} {len(gaps)}\n")
