"""Pretrained encoders: found, checked and read."""
