"""Rotation Monitor: the application."""
