"""Snapshot -> what each panel shows."""
