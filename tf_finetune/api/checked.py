"""What checks of a model found, as an object."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tf_finetune.api.html_table import html_table
from tf_finetune.api.report_page import ReportPage
from tf_finetune.errors import UserError
from tf_finetune.robustness.results import CheckReport

if TYPE_CHECKING:
    import pandas as pd

    from tf_finetune.jobs.check import CheckOptions


@dataclass(frozen=True)
class Checked:
    """How often each check failed, on which texts, and the scores of parts of the data.

    Attributes:
        report: All of it, as the JSON file has it.
        page: The page of it.
    """

    report: CheckReport
    page: ReportPage

    def __getitem__(self, check: str) -> float:
        """The share of its texts on which a check failed, NaN if it applies to none."""
        found = {one.name: one.share.value for one in self.report.checks}[check]
        return float("nan") if found is None else found

    @property
    def passed(self) -> bool:
        """Whether no check that decides failed on more texts than `most_flipped` accepts."""
        return not self.report.failed

    @property
    def table(self) -> "pd.DataFrame":
        """A row a check: its kind, the texts it applies to, and the share that failed."""
        import pandas as pd

        rows = {
            one.name: {
                "kind": one.kind,
                "texts": one.share.n,
                "failed": one.share.failed,
                "share": one.share.value,
                "low": one.share.low,
                "high": one.share.high,
            }
            for one in self.report.checks
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("check")

    @property
    def worst(self) -> "pd.DataFrame":
        """The texts on which checks failed, the worst of each check first."""
        import pandas as pd

        columns = ["check", "row", "text", "changed", "before", "after"]
        rows: list[list[Any]] = [
            [check.name, one.row, one.texts[0], (*one.changed, None)[0], one.before, one.after]
            for check in self.report.checks
            for one in check.worst
        ]
        return pd.DataFrame(rows, columns=columns)

    @property
    def slices(self) -> "pd.DataFrame":
        """A row a part of the texts: how many, and their score with its interval."""
        import pandas as pd

        columns = ["column", "part", "texts", self.report.metric, "low", "high"]
        rows: list[list[Any]] = [
            [one.column, one.name, one.n, *(one.score[e] for e in ("value", "low", "high"))]
            for one in self.report.slices
        ]
        return pd.DataFrame(rows, columns=columns)

    def __str__(self) -> str:
        """What came of it, in a sentence."""
        return self.report.verdict

    def __repr__(self) -> str:
        """The same, with the name of the class."""
        return f"Checked({self})"

    def _repr_html_(self) -> str:
        """The shares as a table."""
        return f"<p><b>{self}</b></p>{html_table(self.table, index=True)}"


def check_options(
    checks: str | None,
    by: Sequence[str],
    most_flipped: float | None,
    tolerance: float | None,
    limit: int,
    seed: int,
    *,
    shift: bool = False,
) -> "CheckOptions":
    """What the arguments of `Model.check` say; all that is wrong with them at once.

    Raises:
        UserError: A number is out of its range, or the file of checks is wrong.
    """
    from tf_finetune.jobs.check import CheckOptions
    from tf_finetune.robustness.check_file import load_checks

    problems = []
    for name, value, most, accepted in (
        ("most_flipped", most_flipped, 1.0, "a share from 0 to 1, or None"),
        ("tolerance", tolerance, math.inf, "a number of at least 0, or None"),
    ):
        if value is not None and not (_is_number(value) and 0 <= value <= most):
            problems.append(f"{name}: received {value!r}; accepted: {accepted}")
    for name, number in (("limit", limit), ("seed", seed)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            problems.append(f"{name}: received {number!r}; accepted: a whole number")
    loaded = None
    try:
        loaded = load_checks(checks).with_slices(by, "by")
    except UserError as error:
        problems += error.problems
    if problems or loaded is None:
        raise UserError(problems)
    return CheckOptions(loaded, most_flipped, tolerance, limit, seed, shift)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
