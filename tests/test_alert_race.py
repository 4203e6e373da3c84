"""Two processes judge the rules of one book at the same moment, many times: each firing is told and kept once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from desktop.alert_book import AlertBook
from desktop.book import FILE_NAME, Book
from desktop.trade.alerts import Condition, Repeat, Rule, Subject, Watch

ROOT = Path(__file__).parents[1]
ROUNDS = 120
RATIO = Watch(Subject.RATIO)
WINDOW = """
import json, sys
from datetime import timedelta
from pathlib import Path
from desktop.book import Book
from desktop.market.store import Store
from tests.test_alert_watch import NOW, Bench
from widgets.states_alerts import RuleForm

with Store(None) as store, Book(Path(sys.argv[1])) as book:
    bench, told = Bench(store, book), []
    for number in range(int(sys.argv[2])):
        moment = NOW + timedelta(minutes=2 * number)
        bench.quote(9.5 if number % 2 else 8.5, moment)
        seen = bench.snapshot(moment)
        print("ready", flush=True)
        sys.stdin.readline()
        told = bench.watcher.follow(seen, (), bench.settings).told
        print(json.dumps([f"{one.entry.rule} at {one.entry.at}" for one in told]), flush=True)
"""


@pytest.mark.timeout(300)
def test_each_firing_is_told_by_one_of_two_processes_and_logged_once(tmp_path):
    with Book(tmp_path / FILE_NAME) as book:
        kept = AlertBook(book)
        kept.put_rule(Rule(RATIO, Condition.ABOVE, 9.0, band=0.1))
        kept.put_rule(Rule(RATIO, Condition.CROSSES, 9.0, band=0.1))
        kept.put_rule(Rule(RATIO, Condition.ABOVE, 9.0, band=0.1, repeat=Repeat.ONCE))
    windows = [
        subprocess.Popen(
            [sys.executable, "-c", WINDOW, str(tmp_path / FILE_NAME), str(ROUNDS)],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    told: list[set[str]] = [set(), set()]
    try:
        for _ in range(ROUNDS):
            assert [line(one) for one in windows] == ["ready", "ready"]
            for one in windows:
                assert one.stdin is not None
                one.stdin.write("go\n")
                one.stdin.flush()
            for heard, one in zip(told, windows, strict=True):
                heard |= set(json.loads(line(one)))
    finally:
        for one in windows:
            one.kill()
            one.communicate()
    assert told[0] & told[1] == set()
    with Book(tmp_path / FILE_NAME) as book:
        logged = Counter(one.rule for one in AlertBook(book).log(limit=10_000))
    # The first is met in every second round, the second in each but the first, the third once.
    assert logged == {1: ROUNDS // 2, 2: ROUNDS - 1, 3: 1}
    assert Counter(int(one.split()[0]) for one in told[0] | told[1]) == logged


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
