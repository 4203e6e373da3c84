"""What each subcommand does. Imports happen inside, so that a command loads only what it needs."""

from __future__ import annotations

import argparse
import io
import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.market.known import UserError

if TYPE_CHECKING:
    from desktop.market.store import Store

log = logging.getLogger(__name__)


def run(args: argparse.Namespace) -> int:
    """Run the chosen command; returns the exit code. A named error becomes one clear line on stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")  # a pipe on Windows: its code page has no σ and no minus sign
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that knows few letters must not end a command
            stream.reconfigure(errors="backslashreplace")
    command = _COMMANDS.get(args.command, _window)
    try:
        return command(args)
    except UserError as error:
        return fail(str(error))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe went away: nothing to say to it
        return 1
    except OSError as error:
        return fail(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
    except KeyboardInterrupt:
        return fail("interrupted")


def fail(line: str, code: int = 1) -> int:
    """One line on stderr; returns the exit code."""
    sys.stderr.write(f"rotation-monitor: {line}\n")
    return code


def say(line: str) -> None:
    """One line on standard output."""
    sys.stdout.write(line + "\n")


def data_dir(args: argparse.Namespace) -> Path:
    """The folder of store, settings and layout."""
    chosen: Path | None = getattr(args, "data_dir", None)
    if chosen is not None:
        return chosen.expanduser()
    from platformdirs import user_data_path

    return user_data_path("rotation-monitor", appauthor=False)


def open_store(folder: Path) -> Store:
    """The store of `folder`, made when absent."""
    from desktop.market.store import FILE_NAME, Store

    return Store(folder / FILE_NAME)


def as_of(args: argparse.Namespace) -> datetime | None:
    """What `--as-of` means, in UTC; None for now."""
    if args.as_of is None:
        return None
    from desktop.market.sessions import parse_as_of

    return parse_as_of(args.as_of)


def _window(args: argparse.Namespace) -> int:
    if args.self_test:
        from desktop import self_test

        return self_test.run(json_to=args.json, with_keyring=args.keyring)
    if args.json or args.keyring:
        named = "--json" if args.json else "--keyring"
        return fail(f"{named} belongs to --self-test{' or to a command such as `report`' * bool(args.json)}", 2)
    moment = as_of(args)
    from desktop.display import require_display

    require_display()
    from desktop import app

    if args.first_paint:
        return app.run_to_first_paint(data_dir(args), demo=args.demo, as_of=moment)
    return app.run(data_dir(args), demo=args.demo, as_of=moment, offline=args.offline)


def _import(args: argparse.Namespace) -> int:
    from desktop.sources import files

    failed = 0
    with open_store(data_dir(args)) as store:
        for path in args.files:
            try:
                say(files.describe(files.import_file(path, store, symbol=args.symbol)))
            except (files.ImportRefusedError, OSError) as error:
                failed = fail(str(error))
    return failed


def _report(args: argparse.Namespace) -> int:
    from desktop import report

    if args.demo and args.as_of is not None:
        return fail("--demo has its own moment, the close of 11 July 2024: leave out --as-of", 2)
    folder = data_dir(args)
    snapshot = report.snapshot_for(folder, as_of=as_of(args), universe=args.universe, demo=args.demo)
    levels = report.kill_levels_of(folder)
    if args.json:
        json.dump(report.as_json(snapshot, kill_levels=levels), sys.stdout, indent=2, allow_nan=False)
        say("")
    elif args.png is not None:
        from desktop import picture

        picture.write(snapshot, args.png, picture.settings_of(folder), size=args.size, theme=args.theme)
        say(f"wrote {args.png}")
    elif args.html is not None:
        origins = report.origins_of(folder, snapshot)
        page = report.as_html(snapshot, theme=args.theme, origins=origins, kill_levels=levels)
        args.html.write_text(page, encoding="utf-8")
        say(f"wrote {args.html}")
    else:
        say(report.as_text(snapshot, kill_levels=levels))
    return 0


def _size(args: argparse.Namespace) -> int:
    from desktop.trade import size_command

    return size_command.run(args)


def _workspace(args: argparse.Namespace) -> int:
    from desktop import workspace
    from desktop.single import OneWindow, no_window

    folder = data_dir(args)
    if args.what == "export":
        workspace.export(workspace.collect(folder), args.file)
        say(f"wrote {args.file}")
        place = OneWindow(folder)
        if place.claim():
            place.release()
        else:
            say("a window is open: its layout is written when it closes; Save workspace… in its menu has it now")
        return 0
    made = workspace.plan(args.file, folder)
    for line in made.changes or ("nothing to change",):
        say(line)
    if made.changes and not args.dry_run:
        with no_window(folder, f"choose Open workspace… in its menu and {args.file}"):
            say(f"taken over; the workspace before is kept in {workspace.apply(made, folder)}")
    return 0


def _refresh(args: argparse.Namespace) -> int:
    from functools import partial

    from desktop import desk, refresh, vendors
    from desktop.credentials import Credentials

    keys = Credentials()
    keys.load()
    return refresh.run(
        data_dir(args),
        as_json=args.json,
        sources=desk.keyed(keys, desk.yahoo),
        publishers=partial(desk.official, fred_key=lambda: vendors.fred_key(keys)),
        secrets=keys.secrets,
    )


def _doctor(args: argparse.Namespace) -> int:
    from functools import partial

    from desktop import desk, doctor, vendors
    from desktop.credentials import Credentials

    keys = Credentials(doctor.KEYRING_S)
    publishers = partial(desk.official, fred_key=lambda: vendors.fred_key(keys))
    patient = doctor.Patient(data_dir(args), offline=args.offline, publishers=publishers, keys=keys)
    return doctor.run(patient, as_json=args.json)


_COMMANDS: Mapping[str | None, Callable[[argparse.Namespace], int]] = {
    "import": _import,
    "report": _report,
    "size": _size,
    "workspace": _workspace,
    "refresh": _refresh,
    "doctor": _doctor,
}
