"""The options of a job: what they are, and how they are loaded, saved and described."""
