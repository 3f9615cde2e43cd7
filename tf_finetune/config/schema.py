"""The JSON Schema of a configuration, and the way through it to the part that a path names."""

from functools import cache
from typing import Any

from tf_finetune.config.experiment import ExperimentConfig
from tf_finetune.storage.yaml_document import ValuePath

Schema = dict[str, Any]


@cache
def json_schema() -> Schema:
    """Returns the JSON Schema of a configuration file."""
    return ExperimentConfig.model_json_schema()


def resolve(schema: Schema) -> Schema:
    """Follows a reference to the definition of a model."""
    if "$ref" not in schema:
        return schema
    definition: Schema = json_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return definition


def branches(schema: Schema) -> list[Schema]:
    """The alternatives of a union, or the schema alone."""
    return [resolve(branch) for branch in schema.get("anyOf", [schema])]


def schema_at(path: ValuePath) -> Schema:
    """The part for a path such as `("freeze", "rules", 0, "train")`.

    The index may be left out, as in a file that has one value in place of a list.
    """
    schema = json_schema()
    for key in path:
        schema = _descend(schema, key)
    return schema


def _descend(schema: Schema, key: str | int) -> Schema:
    """The schema of an item, a mapping's value or a model's field."""
    for branch in branches(schema):
        if isinstance(key, int) and "items" in branch:
            return resolve(branch["items"])
        if isinstance(key, str) and key in branch.get("properties", {}):
            return resolve(branch["properties"][key])
        if isinstance(key, str) and isinstance(branch.get("additionalProperties"), dict):
            return resolve(branch["additionalProperties"])
        if isinstance(key, str) and "items" in branch:
            return _descend(resolve(branch["items"]), key)
    raise KeyError(key)


def takes_list_of_scalars(schema: Schema) -> bool:
    """Whether a list of numbers or texts is accepted, and no mapping and no list of others."""
    items = [resolve(b["items"]) for b in branches(schema) if b.get("type") == "array"]
    return (
        bool(items)
        and not any(b.get("type") == "object" for b in branches(schema))
        and all(b.get("type") not in ("array", "object") for one in items for b in branches(one))
    )


def takes_collection(schema: Schema) -> bool:
    """Whether a list or a mapping is accepted (also if others are)."""
    return any(branch.get("type") in ("array", "object") for branch in branches(schema))
