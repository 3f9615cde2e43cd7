"""Tries the preflight with the real TPU compiler."""
