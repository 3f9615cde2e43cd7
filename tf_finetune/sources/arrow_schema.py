"""What the schema of a Parquet or Arrow file says: columns, their types, and names of classes."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.arrow_values import is_structured, is_usable
from tf_finetune.sources.fields import label_columns
from tf_finetune.sources.problems import show_names
from tf_finetune.sources.record_forms import FORMS

_METADATA = b"huggingface"  # where the datasets library keeps its features


@dataclass(frozen=True)
class Columns:
    """The columns of a file.

    Attributes:
        names: All of them.
        wanted: Those to read: what the options name, or while one has to be inferred all that
            could hold texts or labels.
        unusable: Types of the columns that could not, by name.
        structured: Those of them that hold structures of texts and numbers.
    """

    names: tuple[str, ...]
    wanted: list[str]
    unusable: dict[str, str]
    structured: frozenset[str]


def read_columns(schema: Any, config: DataConfig, source: str) -> Columns:
    """The columns of a pyarrow schema.

    Raises:
        UserError: A name occurs twice.
    """
    names = tuple(schema.names)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise UserError(
            f"{source}: column name {show_names(twice)} occurs more than once; "
            "accepted: distinct column names"
        )
    unusable = {field.name: str(field.type) for field in schema if not is_usable(field)}
    labels = label_columns(config)
    used = {config.text_column, config.text_pair_column, *labels}
    if config.text_column is None or not labels or config.task in FORMS:
        used = set(names)
    structured = frozenset(field.name for field in schema if is_structured(field))
    left_out = unusable.keys() - structured
    wanted = [name for name in names if name in used and name not in left_out]
    return Columns(names, wanted, unusable, structured)


def class_names(schema: Any, config: DataConfig) -> dict[str, tuple[str, ...]]:
    """Names of the classes in the order of their integers, by column, where a schema has them.

    The `datasets` library keeps its features, of which `ClassLabel` has names, as JSON in the
    schema's metadata. Where `data.label_names` gives other names, there are none: the integers
    then count. So they do where each label has a column of its own.
    """
    if config.label_columns is not None:
        return {}
    try:
        features = json.loads((schema.metadata or {})[_METADATA])["info"]["features"]
        found = {name: names for name, feature in features.items() if (names := _names(feature))}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}  # other metadata of that name, or none
    given, column = config.label_names, config.label_column
    return {
        name: names
        for name, names in found.items()
        if name in schema.names
        and column in (name, None)
        and (given is None or set(names) <= set(given))
    }


def _names(feature: Any) -> tuple[str, ...]:
    """The names of a `ClassLabel`, or of a list of these; () for other features."""
    if isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    if isinstance(feature, dict) and isinstance(feature.get("feature"), dict):
        feature = feature["feature"]
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return ()
    names = feature.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names) if len(set(names)) == len(names) else ()
