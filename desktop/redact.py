"""Secrets out of whatever is shown, logged for others or sent to them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

HIDDEN = "***"
_SHORTEST, _SHORTEST_NAMED = 4, 8
"""Shorter passwords of a proxy, and shorter values of a variable, are not searched for as words of their own:
that would blot out half the text."""

_USER_INFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s\"'<>]*@")
_STRANGE_USER_INFO = re.compile(  # a password that holds a slash: what follows the colon is no port
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/?#:@\s]*:(?!\d*(?:[/?#\s\"']|$))[^\s\"'<>]*@"
)
_USER_INFO_ALONE = re.compile(r"(?<![\w/@.:*-])[^\s/:@\"'=<>]+:(?!//)[^\s@\"'<>]+@(?=[\w.\[-]+)")
_NAMES = (
    r"(?:[\w-]*(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signature|crumb)"
    r"|key|pwd|sig|auth)"
)
_VALUE = re.compile(
    rf"(?P<name>(?<![\w-]){_NAMES}[\"']?\s*[=:]\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s&\"',;<>)]+)", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?P<name>\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-api-key|\bapca-[\w-]+)(?P<gap>[\"']?\s*[:=]\s*)"
    r"[^\r\n]+",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?P<scheme>Bearer|Basic|Digest|Negotiate|NTLM)\s+[A-Za-z0-9+/=._~-]{8,}")
_SECRET_NAME = re.compile(r"(pass(word|wd|phrase)|secret|token|api_?key|access_?key|private_?key)$", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without the user part of URLs, values named like a secret, credentials in headers, `secrets`.

    Each of `secrets` is also found as a URL spells it. Text without a secret comes back as it is.
    """
    for secret in sorted({form for one in secrets for form in _spellings(one)}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _HEADER.sub(rf"\g<name>\g<gap>{HIDDEN}", text)
    text = _SCHEME.sub(rf"\g<scheme> {HIDDEN}", text)
    text = _USER_INFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _STRANGE_USER_INFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _USER_INFO_ALONE.sub(f"{HIDDEN}@", text)
    return _VALUE.sub(rf"\g<name>{HIDDEN}", text)


def secrets_of(environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return the passwords in the proxies of the environment, and the values of variables named like a secret."""
    found: set[str] = set()
    for name, value in environment.items():
        if name.lower().endswith("_proxy"):
            user_info, at, _ = value.rpartition("@")
            if at:
                user, _, password = user_info.rpartition("//")[2].partition(":")
                found.update((password or user, f"{user}:{password}"))
        elif _SECRET_NAME.search(name) and len(value) >= _SHORTEST_NAMED:
            found.add(value)
    return frozenset(one for one in found if len(one) >= _SHORTEST)


def _spellings(secret: str) -> tuple[str, ...]:
    if len(secret) < _SHORTEST:
        return ()
    plain = unquote(secret)
    return tuple(one for one in (secret, plain, quote(plain, safe=""), quote(plain)) if len(one) >= _SHORTEST)
