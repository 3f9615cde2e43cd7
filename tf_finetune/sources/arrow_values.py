"""Which of Arrow's columns could hold texts or labels, and their values as Python has them."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

# What turning Arrow's values into Python's raises beside its own errors: bytes that are no
# UTF-8 (a ValueError), numbers that are out of a type's range.
CONVERSION_ERRORS = (ValueError, ArithmeticError, TypeError)
BATCH_ROWS = 1024
BATCH_BYTES = 64 * 2**20
USABLE = "strings, numbers, booleans, or lists of them"


def is_usable(field: Any) -> bool:
    """Whether a column could hold texts or labels, judged by its Arrow type.

    Dates, times, bytes, structures and maps could not, and turning them into Python's may not
    even be possible: its years end with 9999.
    """
    kind = field.type
    return _is_plain(kind.value_type if _is_list(kind) else kind)


def is_structured(field: Any) -> bool:
    """Whether a column is not usable by itself, but holds structures of what is.

    So do answers with their places, and marked spans.
    """
    return not is_usable(field) and _holds_plain(field.type)


def _holds_plain(kind: Any) -> bool:
    from pyarrow import types

    if _is_list(kind):
        return _holds_plain(kind.value_type)
    if types.is_struct(kind):
        return all(_holds_plain(kind.field(index).type) for index in range(kind.num_fields))
    return _is_plain(kind)


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return any(
        is_list(kind)
        for is_list in (
            types.is_list,
            types.is_large_list,
            types.is_fixed_size_list,
            types.is_list_view,
            types.is_large_list_view,
        )
    )


def _is_plain(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        is_kind(kind)
        for is_kind in (
            types.is_string,
            types.is_large_string,
            types.is_string_view,
            types.is_boolean,
            types.is_integer,
            types.is_floating,
            types.is_decimal,
            types.is_null,
        )
    )


def values_of(array: Any) -> list[Any]:
    """The values of a usable column; rows that refer to one text share it.

    Args:
        array: A pyarrow array `[rows]`.

    Returns:
        One value a row, None for nulls.

    Raises:
        ValueError: A text is not in UTF-8 (or another error of Arrow's).
    """
    import pyarrow.compute as pc
    from pyarrow import types

    if types.is_dictionary(array.type):
        used = pc.unique(array.indices).drop_null()
        values = array.dictionary.take(used).to_pylist()
        value_of = dict(zip(used.to_pylist(), values, strict=True))
        return [value_of.get(index) for index in array.indices.to_pylist()]
    if _is_list(array.type):
        flat = iter(values_of(array.flatten()))
        lengths = pc.list_value_length(array).to_pylist()
        return [None if n is None else [next(flat) for _ in range(n)] for n in lengths]
    return list(array.to_pylist())


def rows_of(batch: Any, names: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, object]]:
    """The rows of a record batch; those before one that cannot be converted still come.

    Args:
        batch: A pyarrow record batch of usable columns.
        names: Class names in the order of their integers, by column; the rows hold the names.
    """
    import pyarrow as pa

    try:
        columns = [values_of(column) for column in batch.columns]
    except (pa.ArrowException, *CONVERSION_ERRORS):
        if batch.num_rows == 1:
            raise
        for row in range(batch.num_rows):
            yield from rows_of(batch.slice(row, 1), names)
        return
    for index, column in enumerate(batch.schema.names):
        if column in names:
            columns[index] = [_named(value, names[column]) for value in columns[index]]
    rows = zip(*columns, strict=True) if columns else itertools.repeat((), batch.num_rows)
    for values in rows:
        yield dict(zip(batch.schema.names, values, strict=True))


def _named(value: Any, names: tuple[str, ...]) -> Any:
    """The name of a class; an integer that has none, as -1 for hidden labels, stays."""
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    return value
