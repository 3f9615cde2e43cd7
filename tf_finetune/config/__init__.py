"""The configuration of a job: its sections together, loaded, saved and described."""
