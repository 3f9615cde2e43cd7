"""Parts of types that several sections share."""

from typing import Annotated

from pydantic import Field, JsonValue


def said(words: str) -> dict[str, JsonValue]:
    """What a value is, in words, for what its type and range would say less well."""
    return {"accepted": words}


Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
