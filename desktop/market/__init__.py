"""What the market is: instruments, sessions, quotes, bars, the store."""
