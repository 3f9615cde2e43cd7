"""Data sets prepared by TensorFlow Datasets: `tfds:NAME[/CONFIG][:VERSION][@SPLIT]`."""

import difflib
import re
from collections.abc import Generator
from typing import Any

import numpy as np

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.problems import Problems, show, show_names
from tf_finetune.sources.split_names import default_split
from tf_finetune.sources.table import Row, Table


def open_tfds(config: DataConfig, source: str, split: str) -> Table:
    """Opens a data set that was downloaded before; its features are the columns.

    Args:
        config: Options of the data section.
        source: `tfds:` and a name as `tfds.builder` takes it, then perhaps `@` and a split
            such as `train[:80%]`.
        split: The split if `source` names none: `validation` takes the first there is of
            validation, valid, dev and test; the others take their own name.

    Raises:
        UserError: TFDS is not installed, the name or split is unknown, or the data set was
            not downloaded.
    """
    name, _, asked = source.removeprefix("tfds:").partition("@")
    builder = _builder(source, name)
    chosen = asked or default_split(
        config, source, split, list(builder.info.splits), accepted=f"{source}@ and one of"
    )
    try:
        builder.info.splits[chosen]
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{source}: split {show(chosen)} is unknown; accepted: "
            f"{show_names(builder.info.splits)} or a part such as 'train[:80%]'"
        ) from error
    features = builder.info.features

    def rows(problems: Problems) -> Generator[Row, None, None]:
        import tensorflow_datasets as tfds

        examples = tfds.as_numpy(builder.as_dataset(split=chosen, shuffle_files=False))
        for number, example in enumerate(examples, 1):
            values = {name: _plain(example[name], features[name]) for name in features}
            yield Row(number, values, f"{source}, example {number} of {chosen}")

    return Table(
        name=source,
        kind="tfds",
        columns=tuple(features),
        rows=rows,
        content=lambda: iter([f"{builder.info.full_name}@{chosen}".encode()]),
    )


def _builder(source: str, name: str) -> Any:
    """The builder of a prepared data set."""
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(
            f"{source}: TensorFlow Datasets is not installed; pip install tensorflow-datasets"
        ) from error
    try:
        builder = tfds.builder(name)
    # TFDS raises AssertionError for an unknown version and ValueError for the rest.
    except (ValueError, AssertionError) as error:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(re.split("[/:]", name)[0], known, 1)
        raise UserError(
            f"{source}: not a data set of TensorFlow Datasets: {str(error).splitlines()[0]}"
            + (f"; the nearest name is tfds:{near[0]}" if near and near[0] not in name else "")
        ) from error
    if not builder.is_prepared():
        raise UserError(
            f"{source}: was not downloaded to {builder.data_dir}; download it with: "
            'python -c "import tensorflow_datasets as tfds; '
            f"tfds.builder('{name}').download_and_prepare()\"",
        )
    return builder


def _plain(value: Any, feature: Any) -> object:
    """Python's own values: class indices become class names, bytes text, arrays lists."""
    if isinstance(value, np.ndarray):
        inner = getattr(feature, "feature", feature)
        return [_plain(item, inner) for item in value]
    if isinstance(value, dict):  # of lists, where it is a sequence of structures
        inner = getattr(feature, "feature", feature)
        return {name: _plain(item, inner[name]) for name, item in value.items()}
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, np.floating):
        return float(str(value))  # 3.8 of float32, not 3.799999952316284
    if isinstance(value, np.generic):
        value = value.item()
    names = getattr(feature, "names", None)
    if names and isinstance(value, int):
        # Hidden labels are -1; None is then reported as a missing label.
        return names[value] if 0 <= value < len(names) else None
    return value
