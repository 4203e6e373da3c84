"""The report: one Snapshot as JSON, as text for a terminal, as one HTML file.

A report asks no source. It shows what the store holds, or the demo session at its close.
"""

from desktop.report.figures import as_json
from desktop.report.lines import as_text
from desktop.report.made import UnknownUniverseError, kill_levels_of, origins_of, snapshot_for
from desktop.report.page import as_html

__all__ = ["UnknownUniverseError", "as_html", "as_json", "as_text", "kill_levels_of", "origins_of", "snapshot_for"]
