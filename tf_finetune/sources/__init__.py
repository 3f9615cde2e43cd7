"""Where labelled text comes from: files, folders, TFDS and the standard library's docstrings.

`check_sources` tells whether they are there and `resolve_columns` finds out which column holds
what; `open_table` opens one, `read_records` streams its examples and `read_texts` the texts to
predict (`check_texts` those of a command line); `fingerprint` names a source's content and how it
is read.
Each format has a file of its own that opens a `Table` of rows; everything after that is shared.
What of a table a record of a task is, beside a text and its label, a form of its own says
(`record_forms`): words with tags, answers, relations, choices.
"""
