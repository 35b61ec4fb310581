"""How segments are found and named; loaded by training only."""
