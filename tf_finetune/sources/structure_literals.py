"""Structures that were written into one field of text, as JSON or as Python writes them."""

import ast
import json


def parse_structure(value: object) -> object:
    """The list or object that a text is, such as a cell of a CSV file; other values as they are.

    Returns:
        What is written, or the value itself if that is nothing in brackets or cannot be read.
    """
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass  # with single quotes, perhaps
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
