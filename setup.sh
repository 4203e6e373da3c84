# Sourced by ./run, ./test and .ci/run: makes .venv from requirements.lock, once, and says what it does.
# Repeats only when the lock or pyproject.toml changed. Works with the plain shell of Debian, Fedora and macOS.

say() { printf '%s\n' "$*" >&2; }

# Runs a command as root: directly, or through sudo when it asks no password; fails when neither may.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1
    fi
}

# Installs system packages; $1 is why. Prints the one command to type where it may not.
system_packages() {
    why=$1; debian=$2; fedora=$3
    if command -v apt-get >/dev/null 2>&1; then set -- apt-get install -y --no-install-recommends $debian
    elif command -v dnf >/dev/null 2>&1; then set -- dnf install -y $fedora
    else say "$why is missing, and neither apt-get nor dnf is here; install it with this system's own tool"; return 1
    fi
    say "$why is missing; installing: $*"
    if [ "$1" = apt-get ]; then as_root apt-get update -qq >&2 || true; fi
    DEBIAN_FRONTEND=noninteractive as_root "$@" >&2 || { say "could not install it; please type:  sudo $*"; return 1; }
}

find_python() {
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$candidate"; return 0
        fi
    done
    return 1
}

qt_libraries() {
    [ "$(uname -s)" = Linux ] || return 0
    qt=$("$root/.venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("PySide6").submodule_search_locations[0])')
    if ldd "$qt/Qt/plugins/platforms/libqxcb.so" "$qt"/QtWidgets*.so "$qt"/QtGui*.so 2>/dev/null | grep -q 'not found'; then
        system_packages "a system library of Qt" \
            "libgl1 libegl1 libxkbcommon0 libglib2.0-0 libfreetype6 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libwayland-client0 libwayland-cursor0 libwayland-egl1 xkb-data" \
            "mesa-libGL mesa-libEGL libxkbcommon glib2 freetype fontconfig dbus-libs libxkbcommon-x11 xcb-util-cursor xcb-util-wm xcb-util-keysyms libxcb libwayland-client libwayland-cursor libwayland-egl"
    fi
}

set_up() {
    stamp=$root/.venv/set-up
    cmp -s "$root/requirements.lock" "$stamp/requirements.lock" && cmp -s "$root/pyproject.toml" "$stamp/pyproject.toml" && return 0
    rm -rf "$stamp"
    if ! "$root/.venv/bin/python" -m pip --version >/dev/null 2>&1; then
        python=$(find_python) || { say "Python 3.11, 3.12 or 3.13 is needed and was not found"; return 1; }
        say "making .venv with $python"
        rm -rf "$root/.venv"
        if ! "$python" -m venv "$root/.venv" >/dev/null 2>&1; then
            rm -rf "$root/.venv"
            system_packages "Python's venv module" python3-venv python3 || return 1
            "$python" -m venv "$root/.venv" || return 1
        fi
    fi
    say "installing the packages of requirements.lock into .venv (once; about a minute)"
    "$root/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps -r "$root/requirements.lock" >&2 || {
        say "the packages could not be installed: check the network, the proxy (HTTPS_PROXY) and pip's own message above"; return 1; }
    qt_libraries || return 1
    mkdir -p "$stamp"
    cp "$root/requirements.lock" "$root/pyproject.toml" "$stamp/"
}
