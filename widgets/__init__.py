"""Panels and plots: each shows one frozen state and emits signals; none computes."""
