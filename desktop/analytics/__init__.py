"""Pure functions over arrays; each takes what was known and returns one frozen result."""
