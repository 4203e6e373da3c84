"""Save and open a workspace from the window: asks for the file, says what will change, then changes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from desktop import layout, workspace
from desktop.market.known import UserError
from desktop.window import Window
from desktop.workspace import Plan
from widgets.states import Text, Tone

_FILTER = "Workspace (*.json)"


def save(window: Window, folder: Path) -> None:
    """Ask where to, and write the workspace of the window."""
    name, _ = QFileDialog.getSaveFileName(window, "Save workspace", "rotation-monitor-workspace.json", _FILTER)
    if not name:
        return
    try:
        workspace.export(_of(window, folder), Path(name))
    except (UserError, OSError) as error:
        window.tell(Text(f"not saved: {error}", Tone.BAD, str(error)))
        return
    window.tell(Text(f"workspace saved: {name}", Tone.GOOD, "layout, settings, kill levels, alert rules; no keys"))


def open_(window: Window, folder: Path) -> None:
    """Ask which file, show what it changes, and take it over once the user agrees."""
    name, _ = QFileDialog.getOpenFileName(window, "Open workspace", "", _FILTER)
    if name:
        open_file(window, folder, Path(name))


def open_file(window: Window, folder: Path, path: Path) -> None:
    """Show what a file changes, and take it over once the user agrees."""
    try:
        before = _of(window, folder)
        made = workspace.plan(path, folder, window.view.settings)
        if not made.changes:
            window.tell(Text(f"{path.name} is the workspace as it is: nothing to change", Tone.GOOD))
            return
        if not _agreed(window, made):
            return
        kept = workspace.apply(made, folder, before)
    except (UserError, OSError) as error:
        window.tell(Text(f"not opened: {error}", Tone.BAD, str(error)))
        return
    window.set_view(replace(window.view, settings=made.workspace.settings))
    problem = layout.restore(window, folder) if made.workspace.layout is not None else ""
    told = f"workspace of {path.name} taken over; the one before: {kept}"
    window.tell(Text(f"{told}; {problem}" if problem else told, Tone.WARN if problem else Tone.GOOD, str(kept)))


def _of(window: Window, folder: Path) -> workspace.Workspace:
    return workspace.collect(folder, window.view.settings, layout.document(window))


def _agreed(parent: QWidget, made: Plan) -> bool:
    dialog = QDialog(parent)
    dialog.setWindowTitle("Open workspace")
    column = QVBoxLayout(dialog)
    told = f"{made.path.name} changes what is listed. The workspace as it is will be kept."
    column.addWidget(QLabel(told))
    box = QPlainTextEdit("\n".join(made.changes))
    box.setReadOnly(True)
    box.setAccessibleName("What changes")
    column.addWidget(box)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
    buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Take it over")
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
    dialog.resize(720, 360)
    agreed = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return agreed
