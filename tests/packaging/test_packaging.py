"""What turns the program into installers: what is left out, what is asked for, and one version for all."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
import bundle  # noqa: E402
import debian  # noqa: E402
import elf  # noqa: E402
import licences  # noqa: E402
import notes  # noqa: E402
import slim  # noqa: E402

from desktop.version import VERSION  # noqa: E402

linux = pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux's")
needs_binutils = pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")


def kept(*names: str, system: str = "windows") -> list[str]:
    found, _ = slim.wanted([(name, f"/from/{name}", "BINARY") for name in names], [], system)
    return [name for name, _, _ in found]


# What is left out


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqwayland.so",
        "PySide6/Qt/plugins/platforms/libqoffscreen.so",
        "PySide6/Qt/plugins/platforms/libqminimal.so",
        "PySide6/plugins/platforms/qwindows.dll",
        "PySide6\\plugins\\platforms\\qoffscreen.dll",
        "PySide6/Qt/plugins/imageformats/libqsvg.so",
        "PySide6/Qt/plugins/iconengines/libqsvgicon.so",
        "PySide6/QtOpenGL.abi3.so",
        "PySide6/QtOpenGLWidgets.abi3.so",
        "curl_cffi/_wrapper.abi3.so",
    ],
)
def test_what_the_window_needs_stays(name):
    assert kept(name) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "PySide6/Qt/plugins/platforms/libqeglfs.so",
        "PySide6/Qt/plugins/platforms/libqlinuxfb.so",
        "PySide6/Qt/plugins/platforms/libqvnc.so",
        "PySide6/Qt/plugins/platforms/libqvkkhrdisplay.so",
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so",
        "PySide6/Qt/plugins/tls/libqopensslbackend.so",
        "PySide6/Qt/plugins/networkinformation/libqnetworkmanager.so",
        "PySide6/Qt/plugins/generic/libqevdevkeyboardplugin.so",
        "PySide6\\plugins\\tls\\qschannelbackend.dll",
        "PySide6/Qt/plugins/imageformats/libqjpeg.so",
    ],
)
def test_plugins_that_nobody_asks_for_go(name):
    assert kept(name) == []


def test_data_that_only_developers_read_goes():
    names = ["PySide6/Qt/translations/qtbase_de.qm", "numpy/core/include/x.h", "pandas/tests/data.csv", "a/b.pyi",
             "foo-1.dist-info/licenses/LICENSE", "foo-1.dist-info/RECORD"]  # fmt: skip
    good = ["tzdata/zoneinfo/America/New_York", "resources/font/Inter-Regular.otf", "certifi/cacert.pem",
            "keyring-25.dist-info/entry_points.txt", "curl_cffi-0.1.dist-info/METADATA"]  # fmt: skip
    _, data = slim.wanted([], [(name, name, "DATA") for name in names + good], "windows")
    assert [name for name, _, _ in data] == good


def test_libraries_of_the_system_that_drivers_need_newer_are_never_shipped(monkeypatch):
    monkeypatch.setattr(
        slim, "needed", lambda _path: frozenset({"libstdc++.so.6", "libgcc_s.so.1", "libexpat.so.1"})
    )
    names = ["numpy/_core/a.cpython-311-x86_64-linux-gnu.so", "libstdc++.so.6", "libgcc_s.so.1", "libexpat.so.1"]
    assert kept(*names, system="linux") == names[:1]


def test_library_that_no_bundled_file_needs_goes_and_a_chain_that_one_needs_stays(monkeypatch):
    asks = {
        "QtGui.abi3.so": {"libQt6Gui.so.6"},
        "libQt6Gui.so.6": {"libpng16.so.16", "libc.so.6"},
        "libQt6Qml.so.6": {"libsecond.so.1"},
        "libpython3.11.so.1.0": set(),
    }
    monkeypatch.setattr(slim, "needed", lambda path: frozenset(asks.get(path.name, ())))
    names = [*asks, "libpng16.so.16", "libsecond.so.1"]
    assert kept(*names, system="linux") == [
        "QtGui.abi3.so", "libQt6Gui.so.6", "libpython3.11.so.1.0", "libpng16.so.16"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("WARNING: Library not found: could not resolve 'libxcb-cursor.so.0', dependency of 'libqxcb.so'.", True),
        ("WARNING: Library libgfoo.so.1 required via ctypes not found", False),
        ("INFO: Build complete!", False),
    ],
)
def test_library_that_the_build_did_not_find_is_noticed(line, bad):
    assert bool(bundle.WORDS_OF_A_HOLE.search(line)) is bad


# What Linux libraries say


@linux
@needs_binutils
def test_needs_and_glibc_of_a_library_are_read_from_it(tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    source = tmp_path / "a.c"
    source.write_text("#include <math.h>\ndouble f(double x) { return pow(x, x); }\n")
    library = tmp_path / "liba.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-Wl,--no-as-needed", "-lm"], check=True)
    assert elf.is_elf(library)
    assert not elf.is_elf(source)
    assert "libm.so.6" in elf.needed(library)
    assert (2, 2) <= elf.glibc(library) <= (2, 99)


@linux
@needs_binutils
@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg is Debian's")
def test_dependencies_of_the_package_are_what_is_linked_and_not_shipped(tmp_path, monkeypatch):
    (tmp_path / "libshipped.so.1").write_text("")
    monkeypatch.setattr(elf, "needed", lambda _path: frozenset({"libshipped.so.1", "libc.so.6", "ld-linux.so.2"}))
    assert debian.depends(tmp_path, [tmp_path / "program"]) == ["libc6 (>= 2.35)", "libegl1", "libgl1"]
    monkeypatch.setattr(elf, "needed", lambda _path: frozenset({"libnobody.so.7"}))
    with pytest.raises(debian.UnresolvedError, match=r"libnobody\.so\.7"):
        debian.depends(tmp_path, [tmp_path / "program"])


# One version, one name


def test_notes_of_a_release_are_its_part_of_the_changelog():
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n- soon\n\n"
        "## [1.2.0] - 2026-12-01\n\n### Added\n- this\n\n## [1.1.0]\n- old\n"
    )
    assert notes.notes("1.2.0", changelog, own="1.2.0") == "### Added\n- this\n"
    assert notes.notes("1.1.0", changelog, own="1.1.0") == "- old\n"
    with pytest.raises(notes.NoNotesError, match=r"no section \[1\.3\.0\]"):
        notes.notes("1.3.0", changelog, own="1.3.0")
    with pytest.raises(notes.NoNotesError, match=r"the tag says 1\.2\.0, desktop/version\.py says 1\.1\.0"):
        notes.notes("1.2.0", changelog, own="1.1.0")


def test_version_is_written_in_one_place():
    files = [ROOT / "installer.spec", ROOT / "pyproject.toml", *(ROOT / "packaging").glob("*.*"),
             *(ROOT / ".github" / "workflows").iterdir(), *(ROOT / "desktop").rglob("*.py")]  # fmt: skip
    found = [one.name for one in files if one.suffix != ".lock" and VERSION in one.read_text(encoding="utf-8")]
    assert found == ["version.py"]


def test_menu_entry_starts_what_the_package_installs():
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read(ROOT / "packaging" / "rotation-monitor.desktop", encoding="utf-8")
    section = entry["Desktop Entry"]
    assert section["Exec"] == section["Icon"] == bundle.NAME
    assert section["Terminal"] == "false"
    tool = shutil.which("desktop-file-validate")
    if tool is not None:
        subprocess.run([tool, ROOT / "packaging" / "rotation-monitor.desktop"], check=True)


def test_locks_of_build_and_program_name_no_package_twice_with_two_versions():
    pins: dict[str, set[str]] = {}
    for lock in bundle.LOCKS:
        for line in lock.read_text().splitlines():
            if line and not line.startswith("#"):
                name, _, version = line.partition(";")[0].strip().partition("==")
                pins.setdefault(name.lower().replace("_", "-"), set()).add(version)
    twice = {name: found for name, found in pins.items() if len(found) > 1}
    assert set(twice) <= {"numpy", "scipy", "soupsieve"}  # one for each Python


def test_version_is_told_without_loading_qt():
    code = (
        "import sys; sys.argv = ['rotation-monitor', '--version']\n"
        "from desktop.__main__ import main\nmain()\n"
        "sys.exit(any(name.startswith(('PySide6', 'numpy', 'pandas')) for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"rotation-monitor \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("arguments", [["--version"], ["size", "--help"], ["report", "--as-of", "nonsense"]])
def test_program_without_standard_streams_ends_as_it_should(tmp_path, arguments):
    """As a windowed program of Windows is started: stdout and stderr are None."""
    code = (
        "import sys; sys.stdout = sys.stderr = None\n"
        "from desktop import streams; from desktop.__main__ import main\n"
        "streams.show_what_nobody_saw = lambda code: None\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "assert isinstance(code, int), code\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, *(["--data-dir", tmp_path] if arguments[0] == "report" else [])],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == (1 if "nonsense" in arguments else 0), done.stderr
    assert done.stderr == ""


def test_failure_that_nobody_could_see_is_shown(qtbot, monkeypatch):
    import io

    from PySide6.QtWidgets import QMessageBox

    from desktop import streams

    shown: list[str] = []
    monkeypatch.setattr(QMessageBox, "critical", lambda _parent, _title, text: shown.append(text))
    monkeypatch.setattr(streams, "_unseen", io.StringIO("rotation-monitor: the store is damaged\n"))
    streams.show_what_nobody_saw(0)
    assert shown == []
    streams.show_what_nobody_saw(1)
    assert shown == ["rotation-monitor: the store is damaged"]


def test_licence_that_its_package_does_not_enclose_is_shipped_in_full():
    text = licences._standard("LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only")
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "TERMS AND CONDITIONS" in text  # of the GPL, which the LGPL adds to
    assert "no text" in licences._standard("MIT")
