"""Real history from files: what kind a file is, whether it is what it claims, and what of it is kept."""

from desktop.sources.files.importer import import_file
from desktop.sources.files.result import ImportRefusedError, ImportResult, describe

__all__ = ["ImportRefusedError", "ImportResult", "describe", "import_file"]
