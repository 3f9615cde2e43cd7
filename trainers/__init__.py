"""The commands: one readable script each, with a `main(argv)` that returns an exit code."""
