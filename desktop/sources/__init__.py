"""Where data comes from: one file a source, all behind one contract."""
