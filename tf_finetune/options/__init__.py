"""The options of a job: a frozen model a section, every field with its meaning and range.

These models are the single truth about options. The command line, `--help`, the starting YAML of
`init`, the JSON schema and the checks are all derived from them. Nothing here imports TensorFlow.

Four rules for whoever adds an option. Its type has a `Mark` that says what it decides. The loader
hands every scalar over as text, so a union with `str` (other than `str | None`) would never see a
number. What an option accepts is said in words with an example: `examples` where the default is
none, `said` where the type says too little. A check across options raises ValueError with one line
a mistake, `section.name: received …; accepted: …`.
"""
