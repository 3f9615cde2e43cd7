"""The options of a job, a file a section, and what each of them decides."""
