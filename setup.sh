# Sourced by ./run, ./test and .ci/run, with $root set: makes .venv from requirements.lock, once, and says what it
# does, on stderr. Repeats only when the lock or pyproject.toml changed, or what it made no longer works.
# Needs no more than the plain shell of Debian, Fedora and macOS.

venv=$root/.venv
stamp=$venv/set-up        # what .venv was made from; absent until all packages are in
unfinished=$venv/unfinished  # there while packages are being changed: a start that finds it makes .venv anew

say() { printf '%s\n' "$*" >&2; }

set_up() {
    packages_are_current || one_at_a_time make_current || return 1
    [ -e "$stamp/qt" ] || qt_libraries
}

packages_are_current() {
    [ -x "$venv/bin/python" ] && [ ! -e "$unfinished" ] &&
        cmp -s "$root/requirements.lock" "$stamp/requirements.lock" &&
        cmp -s "$root/pyproject.toml" "$stamp/pyproject.toml" &&
        read -r made_by 2>/dev/null <"$stamp/python" && [ "$made_by" = "$(python_behind)" ]
}

# Which Python .venv leans on: after an upgrade of the system it may be another one, or gone.
python_behind() { readlink -f "$venv/bin/python" 2>/dev/null || printf 'unknown\n'; }

# Runs a command while no other start does; the operating system frees the lock when this process ends, however.
one_at_a_time() {
    python=$(find_python) || { no_python; return 1; }
    exec 9<"$root/requirements.lock"
    "$python" -I -c '
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.stderr.write("another start is setting up .venv: waiting for it\n")
    fcntl.flock(9, fcntl.LOCK_EX)
except OSError:  # a file system without locks
    pass
'
    "$@" && exec 9<&- && return 0
    exec 9<&-
    return 1
}

make_current() {
    packages_are_current && return 0  # by the start that was waited for
    if [ -e "$venv" ]; then place=$venv; else place=$root; fi
    [ -w "$place" ] || { say "$place cannot be written: copy the folder $root to where you may write, and start it there"; return 1; }
    if [ -e "$unfinished" ] || ! "$venv/bin/python" -I -c "$right_python; import pip" 2>/dev/null ||
        { [ -e "$stamp/python" ] && ! [ "$(cat "$stamp/python")" = "$(python_behind)" ]; }; then
        make_venv || return 1
    fi
    say "installing the packages of requirements.lock into .venv (once; about a minute)"
    mkdir -p "$unfinished"
    if PIP_USER=0 "$venv/bin/python" -I -m pip install --quiet --disable-pip-version-check --no-input --retries 2 \
        --no-deps -r "$root/requirements.lock" </dev/null >&2; then
        rm -rf "$stamp"
        mkdir "$stamp"
        cp "$root/requirements.lock" "$root/pyproject.toml" "$stamp/"
        python_behind >"$stamp/python"
        rmdir "$unfinished"
    else
        rmdir "$unfinished"  # pip ended by itself and left what was there as it was
        say "The packages could not be installed: pip's own message is above. Check the network, the proxy"
        say "(HTTPS_PROXY) and its certificates (PIP_CERT), then start again."
        return 1
    fi
}

make_venv() {
    if ! "$python" -I -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        system_packages "Python's venv module" "python$version-venv" "python3" || return 1
    fi
    say "making .venv with $python"
    rm -rf "$venv"
    mkdir "$venv" && mkdir "$unfinished" && "$python" -I -m venv "$venv" </dev/null >&2 || {
        say "$venv could not be made: Python's own message is above"; return 1; }
}

right_python='import sys; sys.exit(0) if (3, 11) <= sys.version_info < (3, 14) else sys.exit(1)'

find_python() {
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -I -c "$right_python" </dev/null >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

no_python() {
    found=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=
    say "Python 3.11, 3.12 or 3.13 is needed; ${found:-none} was found on PATH."
    case $(uname -s) in
        Darwin) say "Install one from python.org, or type:  brew install python@3.13" ;;
        *) say "Install one by this system's package manager (python3.13, python3.12 or python3.11), then start again." ;;
    esac
}

# --- what lies outside .venv -----------------------------------------------------------------------------------

qt_libraries() {
    if [ "$(uname -s)" = Linux ] && qt_lacks_libraries; then
        system_packages "a system library of Qt" \
            "libgl1 libegl1 libxkbcommon0 libglib2.0-0 libfreetype6 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libwayland-client0 libwayland-cursor0 libwayland-egl1 xkb-data" \
            "mesa-libGL mesa-libEGL libxkbcommon glib2 freetype fontconfig dbus-libs libxkbcommon-x11 xcb-util-cursor xcb-util-wm xcb-util-keysyms libxcb libwayland-client libwayland-cursor libwayland-egl xkeyboard-config" ||
            return 0  # told; what needs no window works, and the next start looks again
        if qt_lacks_libraries; then
            say "Qt still lacks: $missing. The window may not open; everything else works."
            return 0
        fi
    fi
    touch "$stamp/qt" 2>/dev/null || true
}

qt_lacks_libraries() {
    qt=$("$venv/bin/python" -I -c 'import importlib.util as u; print(u.find_spec("PySide6").submodule_search_locations[0])' 2>/dev/null) || return 1
    missing=$(ldd "$qt"/Qt/plugins/platforms/libqxcb.so "$qt"/QtWidgets*.so "$qt"/QtGui*.so "$qt"/QtSvg*.so 2>/dev/null |
        sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | sort -u | tr '\n' ' ')
    missing=${missing% }
    [ -n "$missing" ]
}

# What tests of real windows, of the real keyring and of sudden death need; they skip where it is absent.
test_tools() {
    [ "$(uname -s)" = Linux ] || return 0
    lacking=
    for tool in Xvfb xdotool dbus-run-session gnome-keyring-daemon strace; do
        command -v "$tool" >/dev/null 2>&1 && continue
        system_packages "$tool" "xvfb xauth xdotool dbus gnome-keyring strace" \
            "xorg-x11-server-Xvfb xorg-x11-xauth xdotool dbus-daemon gnome-keyring strace" || lacking=1
        break
    done
    # Apart: some systems do not offer it, and the others must not fail with it.
    command -v trayer >/dev/null 2>&1 || system_packages "trayer, a tray for the tests of notices," "trayer" "trayer" || lacking=1
    [ -z "$lacking" ]
}

# What building the installers needs, and what proving them does; the proofs skip where a tool is absent.
bundle_tools() {
    [ "$(uname -s)" = Linux ] || return 0
    for tool in readelf strip dpkg-deb; do
        command -v "$tool" >/dev/null 2>&1 || system_packages "$tool" "binutils dpkg" "binutils dpkg" || return 1
    done
}

proof_tools() {
    [ "$(uname -s)" = Linux ] || return 0
    test_tools || true
    for tool in makensis debootstrap tesseract wine; do
        command -v "$tool" >/dev/null 2>&1 && continue
        system_packages "$tool" "nsis debootstrap debian-archive-keyring tesseract-ocr wine wine64" "mingw-nsis-base debootstrap tesseract wine" || true
        return 0
    done
}

# Installs system packages: why, Debian's names, Fedora's. Prints the one command to type where it may not.
system_packages() {
    why=$1
    if command -v apt-get >/dev/null 2>&1; then tool="apt-get install -y --no-install-recommends" names=$2
    elif command -v dnf >/dev/null 2>&1; then tool="dnf install -y" names=$3
    else say "$why is missing, and neither apt-get nor dnf is here: install it by this system's own tool"; return 1
    fi
    if may_be_root; then
        say "$why is missing; installing: $names"
        case $tool in apt-get*) as_root apt-get update -qq || true ;; esac
        # shellcheck disable=SC2086  # words, on purpose
        as_root $tool $names && return 0
        say "$why could not be installed. Once the message above is settled, type:"
    else
        say "$why is missing. Please type:"
    fi
    say "    sudo $tool $names"
    return 1
}

may_be_root() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }; }

as_root() {
    if [ "$(id -u)" = 0 ]; then set -- env DEBIAN_FRONTEND=noninteractive "$@"
    else set -- sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
    "$@" </dev/null >&2 9<&-
}
