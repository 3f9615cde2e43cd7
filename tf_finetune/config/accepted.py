"""What every option accepts, in words and with an example, read off the models' JSON Schema."""

from typing import Any

from tf_finetune.config.schema import Schema, branches, resolve, schema_at
from tf_finetune.storage.yaml_document import ValuePath, yaml_value

_UP_TO_NINE = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SHOWN_WITH_COMMAS = 10_000


def accepted_at(path: ValuePath) -> str:
    """Says what a path such as `("freeze", "rules", 0, "train")` accepts, with an example."""
    schema = schema_at(path)
    example = _example_at(path)
    # Words that name every value need no example.
    if example is None or all(_names_all_values(branch) for branch in branches(schema)):
        return accepted_words(schema)
    return f"{accepted_words(schema)}, such as {_written(example)}"


def choices_at(path: ValuePath) -> list[str]:
    """The words that a path, or an item of its list, accepts; none where it takes others."""
    known = branches(schema_at(path))
    known += [item for branch in known if "items" in branch for item in branches(branch["items"])]
    return [str(word) for branch in known for word in _choices(branch)]


def accepted_words(schema: Schema, *, many: bool = False) -> str:
    """Says type, choices and range of a part of the schema.

    Args:
        schema: The part; its own words under `accepted` go before what is read off it.
        many: Whether several such values are spoken of.
    """
    schema = resolve(schema)
    if "accepted" in schema:
        return str(schema["accepted"])
    if "anyOf" in schema:
        alternatives = [accepted_words(branch, many=many) for branch in branches(schema)]
        return (", or " if " " in "".join(alternatives) else " or ").join(alternatives)
    if choices := _choices(schema):
        return _either(choices)
    kind = schema["type"]
    if kind in ("integer", "number"):
        noun = "whole number" if kind == "integer" else "number"
        return (f"{noun}s" if many else f"a {noun}") + _range_words(schema)
    if kind == "string":
        return _text_words(schema, many=many)
    if kind == "array":
        return _list_words(schema, many=many)
    if kind == "object" and "properties" in schema:
        names = _either(list(schema["properties"]), last="and")
        return f"mappings with {names}" if many else f"a mapping with {names}"
    if kind == "object":
        inside = accepted_words(schema["additionalProperties"], many=True)
        return f"a mapping from names to {inside}"
    return {"boolean": "true or false", "null": "null"}[kind]


def _choices(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _names_all_values(schema: Schema) -> bool:
    return bool(_choices(schema)) or schema.get("type") in ("boolean", "null")


def _either(words: list[Any], last: str = "or") -> str:
    *others, final = map(str, words)
    return f"{', '.join(others)} {last} {final}" if others else final


def _text_words(schema: Schema, *, many: bool) -> str:
    if schema.get("maxLength") == 1:
        return "single characters" if many else "one character"
    noun = "texts" if many else "text"
    return f"{noun} (not empty)" if "minLength" in schema else noun


def _list_words(schema: Schema, *, many: bool) -> str:
    items, least, most = resolve(schema["items"]), schema.get("minItems"), schema.get("maxItems")
    if choices := _choices(items):
        return f"{'lists' if many else 'a list'} of any of {_either(choices, last='and')}"
    words = accepted_words(items, many=True)
    if least is not None and least == most:
        return f"{_UP_TO_NINE[least]} {words}"
    if least == 1:
        return f"one or more {words}"
    return f"lists of {words}" if many else f"a list of {words}"


def _range_words(schema: Schema) -> str:
    """Such as ` from 1 to 10`, ` from 0 to below 1` or ` above 0 and up to 10`."""
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if schema["type"] == "integer" and below is not None:
        high, below = below - 1, None
    if low is not None:
        if high is not None:
            return f" from {_number(low)} to {_number(high)}"
        return (
            f" of at least {_number(low)}"
            if below is None
            else f" from {_number(low)} to below {_number(below)}"
        )
    words = []
    if above is not None:
        words.append(f"above {_number(above)}")
    if high is not None:
        words.append(f"up to {_number(high)}")
    if below is not None:
        words.append(f"below {_number(below)}")
    return f" {' and '.join(words)}" if words else ""


def _number(value: float) -> str:
    if abs(value) >= _SHOWN_WITH_COMMAS and value == int(value):
        return f"{int(value):,}"
    return f"{value:.15g}"


def _example_at(path: ValuePath) -> Any:
    """An example of the nearest part above that has one, followed down to the path."""
    for length in range(len(path), 1, -1):
        example = _own_example(schema_at(path[:length]))
        for key in path[length:]:
            example = _inside(example, key)
        if example is not None:
            return example
    return None


def _own_example(schema: Schema) -> Any:
    """What the field gives as an example, or its default where that shows anything."""
    given = schema.get("examples") or [schema.get("default")]
    return None if given[0] in ((), [], {}) else given[0]


def _inside(example: Any, key: str | int) -> Any:
    if isinstance(example, list):
        inside = example[0] if example else None
        return inside if isinstance(key, int) else _inside(inside, key)
    if isinstance(example, dict):
        # The keys of a mapping are the user's own, so any value of it will do.
        return example.get(key, next(iter(example.values()), None))
    return None


def _written(example: Any) -> str:
    """An example as it can be typed: a list with commas, as on the command line."""
    if isinstance(example, list) and not any(isinstance(one, list | dict) for one in example):
        return ",".join(map(_flow, example))
    return _flow(example)


def _flow(example: Any) -> str:
    """An example on one line of YAML, with numbers as people write them."""
    if isinstance(example, dict):
        return f"{{{', '.join(f'{key}: {_flow(value)}' for key, value in example.items())}}}"
    if isinstance(example, list):
        return f"[{', '.join(map(_flow, example))}]"
    return f"{example:g}" if isinstance(example, float) else yaml_value(example)
