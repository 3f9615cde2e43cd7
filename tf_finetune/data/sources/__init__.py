"""Where labelled text comes from: files, folders, TFDS and the standard library's docstrings.

`check_sources` tells whether they are there and `resolve_columns` finds out which column holds
what; `open_table` opens one, `read_records` streams its examples and `read_texts` the texts to
predict (`check_texts` those of a command line); `fingerprint` names a source's content and how it
is read.
Each format has a file of its own that opens a `Table` of rows; everything after that is shared.
"""

from tf_finetune.data.sources.columns import resolve_columns
from tf_finetune.data.sources.fingerprints import fingerprint
from tf_finetune.data.sources.opening import check_sources, open_table
from tf_finetune.data.sources.reading import check_texts, read_records, read_texts

__all__ = [
    "check_sources",
    "check_texts",
    "fingerprint",
    "open_table",
    "read_records",
    "read_texts",
    "resolve_columns",
]
