"""One value, or several with commas, where a list is accepted: the rule for every option."""

from typing import Any

from tf_finetune.config.schema import Schema, branches, json_schema, resolve


def with_lists(values: Any, schema: Schema | None = None) -> Any:
    """Makes a list of what stands alone where a list is accepted.

    A text is cut at its commas: `0,1` is the list of 0 and 1. A value that holds a comma is
    written as an item of a list, `["a, b"]`. A mapping where a list of mappings is accepted is
    a list of one. Everything else stays, for validation to judge.

    Args:
        values: A configuration, or a part of it.
        schema: The part of the JSON Schema for it; None is the whole.

    Returns:
        The same, with lists.
    """
    known = branches(json_schema() if schema is None else schema)
    items = [resolve(branch["items"]) for branch in known if branch.get("type") == "array"]
    if items and not any(branch.get("type") in ("string", "object") for branch in known):
        values = _as_list(values, items[0])
    if isinstance(values, list) and items:
        return [with_lists(value, items[0]) for value in values]
    if isinstance(values, dict):
        return {key: _inside(value, key, known) for key, value in values.items()}
    return values


def _as_list(value: Any, item: Schema) -> Any:
    kinds = {branch.get("type") for branch in branches(item)}
    if isinstance(value, dict) and "object" in kinds:
        return [value]
    if value is None or isinstance(value, list | tuple):
        return value
    if kinds & {"array", "object"} and not (isinstance(value, str) and "string" in kinds):
        return value
    if not isinstance(value, str):
        return [value]
    parts = [part.strip() for part in value.split(",")]
    return parts if all(parts) else value


def _inside(value: Any, key: str, known: list[Schema]) -> Any:
    for branch in known:
        schema = branch.get("properties", {}).get(key, branch.get("additionalProperties"))
        if isinstance(schema, dict):
            return with_lists(value, schema)
    return value
