"""Reads a recommendation back from the JSON that it wrote."""

from collections.abc import Mapping
from typing import Any

from tf_finetune.results.recommendation import DepthComparison, DepthResult, Loss, Recommendation
from tf_finetune.results.trial import Cell, Place

_NAMES = ("recommended", "best", "acceptable", "reference")


def read_recommendation(content: Mapping[str, Any]) -> Recommendation:
    """The recommendation of which `Recommendation.to_dict` gave the content.

    Raises:
        KeyError: It is of a version that wrote less.
    """
    cells = [Cell.from_dict(row["cell"]) for row in content["depths"]]
    found = [cell.place for cell in cells]

    def place(depth: int, method: str | None) -> Place:
        """Results know their method exactly, what compares them by its name."""
        named = (p for p in found if p.depth == depth and (p.method_name or None) == method)
        return next(named, Place(depth, method))

    def pair(row: Mapping[str, Any]) -> DepthComparison:
        places = {n: place(row[n], row.get(f"{n}_method")) for n in ("better", "worse")}
        plain = {k: v for k, v in row.items() if not k.endswith("_method")}
        return DepthComparison(**plain | places | {"seeds": tuple(row["seeds"])})

    results = [
        DepthResult(
            **{k: v for k, v in row.items() if k != "method"}
            | {
                "cell": cell,
                "seeds": tuple(row["seeds"]),
                "to_best": None if row["to_best"] is None else pair(row["to_best"]),
            }
        )
        for row, cell in zip(content["depths"], cells, strict=True)
    ]
    without = content.get("methods_without_result") or [None] * len(
        content["depths_without_result"]
    )
    others = {
        "depths": tuple(results),
        "comparisons": tuple(map(pair, content["comparisons"])),
        "places_without_result": tuple(map(place, content["depths_without_result"], without)),
        "loss": None if content["loss"] is None else Loss(**content["loss"]),
        **{name: tuple(content[name]) for name in ("failed", "alternatives", "notes")},
        **{
            f"{name}_place": place(content[f"{name}_depth"], content.get(f"{name}_method"))
            for name in _NAMES
        },
    }
    fields = Recommendation.__dataclass_fields__
    return Recommendation(**{k: v for k, v in content.items() if k in fields} | others)
