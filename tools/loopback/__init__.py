"""Several processes on one machine, for `tools/local_workers`."""
