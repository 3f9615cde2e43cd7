"""Names what would be read from a source, so that work on it can be kept and found again."""

import hashlib
import json

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.fields import label_form
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.record_forms import FORMS

# To be raised when the same bytes and options begin to give other records.
RULES_VERSION = 2


def fingerprint(config: DataConfig, source: str, *, split: str = "train") -> str:
    """SHA-256 of a source's content and of the options that decide how it is read.

    Neither the place nor the time of a file counts, nor do options that its format does not
    use. Of `builtin:docstrings` the version of Python counts too; a TFDS data set is told by
    its name, version and split.

    Args:
        config: Options of the data section, columns resolved.
        source: As for `read_records`.
        split: As for `read_records`.

    Returns:
        64 hexadecimal digits.

    Raises:
        UserError: The source cannot be opened.
    """
    table = open_table(config, source, split=split)
    reading: dict[str, object] = {
        "rules": RULES_VERSION,
        "kind": table.kind,
        "options": dict(table.options),
        "columns": [config.text_column, config.text_pair_column, config.label_column],
        "labels": label_form(config),
        "label_separator": config.label_separator,
    }
    if config.label_columns is not None:
        names = config.label_names or config.label_columns
        reading["label_columns"] = list(zip(config.label_columns, names, strict=True))
    if config.task in FORMS:
        reading["form"] = [
            config.task,
            config.span_columns,
            config.choice_columns,
            config.label_names,
        ]
    digest = hashlib.sha256(json.dumps(reading, sort_keys=True).encode())
    for chunk in table.content():
        digest.update(chunk)
    return digest.hexdigest()
