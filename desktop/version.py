"""The one place the version is written."""

import sys

VERSION = "0.1.0"
FROZEN = bool(getattr(sys, "frozen", False))
"""Whether this is the installed bundle, not a run from the source."""
