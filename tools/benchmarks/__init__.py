"""What `tools/bench` measures; one module a suite, and the programs that a suite starts."""
