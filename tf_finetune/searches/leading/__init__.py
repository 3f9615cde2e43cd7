"""Which trial comes next, in one process or over workers."""
