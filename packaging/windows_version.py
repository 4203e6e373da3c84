"""The version as Windows shows it in the properties of a program."""

from __future__ import annotations

from PyInstaller.utils.win32 import versioninfo as v


def version_resource(title: str, version: str) -> v.VSVersionInfo:
    """The version resource of a program called `title`."""
    numbers = tuple(int(part) for part in [*version.split("."), "0", "0", "0"][:4])
    words = {"FileDescription": title, "ProductName": title, "FileVersion": version, "ProductVersion": version}
    return v.VSVersionInfo(
        ffi=v.FixedFileInfo(filevers=numbers, prodvers=numbers),
        kids=[
            v.StringFileInfo([v.StringTable("040904B0", [v.StringStruct(k, t) for k, t in words.items()])]),
            v.VarFileInfo([v.VarStruct("Translation", [0x409, 1200])]),
        ],
    )
