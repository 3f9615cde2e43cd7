"""What `tools/chaos` does to real runs; one module a harness."""
