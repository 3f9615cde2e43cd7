"""A method with all of its options as one text, which a cell of a search can hold."""

import json
from functools import cache

from tf_finetune.methods.method import Method
from tf_finetune.methods.table import METHODS


def setting_text(method: Method) -> str:
    """A method exactly, with all of its options: equal texts are equal settings.

    Returns:
        The name of a method without further options, else JSON.
    """
    options = method.model_dump(mode="json")
    return method.name if len(options) == 1 else json.dumps(options)


@cache
def setting_of(text: str) -> Method:
    """The method that `setting_text` wrote.

    Raises:
        ValueError: `text` is no setting of a method that there is.
    """
    options = json.loads(text) if text.startswith("{") else {"name": text}
    if options.get("name") not in METHODS:
        raise ValueError(f"no setting of a method: {text}")
    return METHODS[options["name"]].model_validate(options)
