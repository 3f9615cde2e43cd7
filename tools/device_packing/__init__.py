"""What `tools/device_check` does once its environments are there."""
