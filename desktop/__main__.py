"""The command line. No subcommand opens the window; every subcommand works without a display.

Exit codes: 0 done, 1 failed (the cause is on stderr), 2 bad arguments.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

from desktop import streams
from desktop.version import VERSION

PROGRAM = "rotation-monitor"


def _pixels(text: str) -> tuple[int, int]:
    wide, _, high = text.partition("x")
    if not (wide.isdecimal() and high.isdecimal() and 640 <= int(wide) <= 8000 and 480 <= int(high) <= 8000):
        raise argparse.ArgumentTypeError(f"{text!r}: give width x height from 640x480 to 8000x8000: 1600x1000")
    return int(wide), int(high)


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--data-dir",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="folder of store, settings and layout (default: the user's data folder)",
    )
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        parents=[shared],
        description="Watch the long Russell 2000 / short Nasdaq-100 idea: ratio, divergence, correlation, size.",
        epilog="Without a command the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    parser.add_argument("--demo", action="store_true", help="open the simulated CPI day of 11 July 2024")
    parser.add_argument("--as-of", metavar="T", help="show what was known then: a date, or an ISO time with zone")
    parser.add_argument("--offline", action="store_true", help="ask no source; show what the store has")
    parser.add_argument(
        "--self-test", action="store_true", help="paint every panel offscreen, check the installation"
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="with --self-test: the result as JSON, on standard output or in FILE",
    )
    parser.add_argument(
        "--keyring", action="store_true", help="with --self-test: also keep a trial key and delete it again"
    )
    parser.add_argument("--first-paint", action="store_true", help=argparse.SUPPRESS)  # for measuring a start
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    add = commands.add_parser("import", parents=[shared], help="add real history from files")
    add.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add.add_argument("--symbol", help="what the file holds, where neither content nor name tells: ^NDX, IWM, ...")

    report = commands.add_parser(
        "report", parents=[shared], help="what the window shows, as text, JSON, HTML or PNG"
    )
    report.add_argument("--as-of", metavar="T", help="what was known then: a date, or an ISO time with zone")
    report.add_argument("--universe", metavar="NAME", help="names behind the correlation gauge")
    form = report.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON on standard output")
    form.add_argument("--html", type=Path, metavar="F", help="as one self-contained HTML file")
    form.add_argument("--png", type=Path, metavar="F", help="as a picture of the whole window")
    report.add_argument(
        "--size",
        type=_pixels,
        default=(1600, 1000),
        metavar="WxH",
        help="with --png: pixels (default 1600x1000)",
    )
    report.add_argument("--theme", choices=("dark", "light"), default="dark", help="with --png and --html")
    report.add_argument("--demo", action="store_true", help="the demo session at its close instead of the store")

    size = commands.add_parser("size", parents=[shared], help="size the trade without a window")
    from desktop.trade import size_command

    size_command.add_arguments(size)

    shared_desk = commands.add_parser(
        "workspace", parents=[shared], help="save or take over layout, settings, alert rules, set-ups; never keys"
    )
    shared_desk.add_argument("what", choices=("export", "import"))
    shared_desk.add_argument("file", type=Path, metavar="F")
    shared_desk.add_argument("--dry-run", action="store_true", help="with import: tell what would change, no more")

    refresh = commands.add_parser("refresh", parents=[shared], help="fetch everything once; result per source")
    refresh.add_argument("--json", action="store_true", help="as JSON on standard output")
    doctor = commands.add_parser("doctor", parents=[shared], help="what to send when it does not work")
    doctor.add_argument("--json", action="store_true", help="as JSON on standard output")
    doctor.add_argument("--offline", action="store_true", help="ask no source")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own); returns the exit code."""
    multiprocessing.freeze_support()  # first: a process started for a share of the work ends in here
    streams.ensure()
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments == ["--version"]:  # the one answer that must not wait for an import
        sys.stdout.write(f"{PROGRAM} {VERSION}\n")
        return 0
    args = _parser().parse_args(arguments)
    from desktop import commands

    code = commands.run(args)
    streams.show_what_nobody_saw(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
