"""What every option accepts, in words, read off the JSON Schema of the models."""

from functools import cache
from typing import Any

from tf_finetune.config.sections import ExperimentConfig
from tf_finetune.config.yaml_document import ValuePath


@cache
def json_schema() -> dict[str, Any]:
    """Returns the JSON Schema of a configuration file."""
    return ExperimentConfig.model_json_schema()


def accepted_at(path: ValuePath) -> str:
    """Says what is accepted at a path such as `("freeze", "rules", 0, "train")`."""
    return accepted_words(_schema_at(path))


def takes_collection(name: str) -> bool:
    """Tells whether an option takes a list or a mapping (also if it takes others)."""
    schema = _schema_at(tuple(name.split(".")))
    return any(branch.get("type") in ("array", "object") for branch in branches(schema))


def accepted_words(schema: dict[str, Any]) -> str:
    """Says type, choices and range of a part of the schema."""
    if "anyOf" in schema:
        alternatives = [accepted_words(branch) for branch in branches(schema)]
        return (", or " if " " in "".join(alternatives) else " or ").join(alternatives)
    schema = resolve(schema)
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        *others, last = schema["enum"]
        return f"{', '.join(others)} or {last}" if others else str(last)
    kind = schema["type"]
    if kind in ("integer", "number"):
        return f"{kind}{_range_words(schema)}"
    if kind == "string":
        return _text_words(schema)
    if kind == "array":
        return f"list of {accepted_words(schema['items'])}"
    if kind == "object" and "properties" in schema:
        return f"mapping with {', '.join(schema['properties'])}"
    if kind == "object":
        return f"mapping from text to {accepted_words(schema['additionalProperties'])}"
    return {"boolean": "true or false", "null": "null"}[kind]


def _text_words(schema: dict[str, Any]) -> str:
    if "pattern" in schema:
        return f"text that matches {schema['pattern']}"
    if schema.get("maxLength") == 1:
        return "one character"
    return "non-empty text" if "minLength" in schema else "text"


def _range_words(schema: dict[str, Any]) -> str:
    """Such as ` from 1 to 10`, ` from 0, below 1` or ` above 0, at most 10`."""
    words = {
        "minimum": " from",
        "exclusiveMinimum": " above",
        "maximum": " to" if "minimum" in schema else ", at most",
        "exclusiveMaximum": ", below",
    }
    return "".join(f"{word} {schema[key]:.15g}" for key, word in words.items() if key in schema)


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follows a reference to the definition of a model."""
    if "$ref" not in schema:
        return schema
    definition: dict[str, Any] = json_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return definition


def branches(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a union, or the schema alone."""
    return [resolve(branch) for branch in schema.get("anyOf", [schema])]


def _schema_at(path: ValuePath) -> dict[str, Any]:
    schema = json_schema()
    for key in path:
        schema = _descend(schema, key)
    return schema


def _descend(schema: dict[str, Any], key: str | int) -> dict[str, Any]:
    """The schema of an item, a mapping's value or a model's field."""
    for branch in branches(schema):
        if isinstance(key, int) and "items" in branch:
            return resolve(branch["items"])
        if isinstance(key, str) and key in branch.get("properties", {}):
            return resolve(branch["properties"][key])
        if isinstance(key, str) and isinstance(branch.get("additionalProperties"), dict):
            return resolve(branch["additionalProperties"])
    raise KeyError(key)
