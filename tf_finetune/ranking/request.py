"""What is asked of a ranking, and whether a task can be asked it."""

from dataclasses import dataclass
from typing import Literal

from tf_finetune.errors import UserError
from tf_finetune.tasks.doubts import Measure
from tf_finetune.tasks.labels import LabelSpace
from tf_finetune.tasks.table import check_able

Strategy = Literal["entropy", "margin", "coverage"]
STRATEGIES: tuple[Strategy, ...] = ("margin", "entropy", "coverage")
# Texts that coverage looks at for each that it takes (F. Zhdanov, "Diverse mini-batch active
# learning", 2019).
POOLED = 10


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        count: Texts to give.
        by: margin or entropy take the texts of which the model is least sure; coverage takes, of
            `POOLED` times as many such texts, those nearest to the centres of as many clusters.
        balanced: Whether each class that is predicted gets as many, as far as it has them.
        seed: Of what is drawn.
    """

    count: int
    by: Strategy
    balanced: bool
    seed: int

    def measure(self, labels: LabelSpace) -> Measure | None:
        """How unsureness is measured; None of answers that have none."""
        if self.by == "coverage":
            return "entropy" if labels.measures else None
        return self.by

    @property
    def kept(self) -> int:
        """Texts to keep of the stream, or of those with each predicted class."""
        return self.count * (POOLED if self.by == "coverage" else 1)


def check_request(
    labels: LabelSpace,
    count: int,
    by: str | None,
    *,
    balanced: bool,
    seed: int,
    flags: tuple[str, str, str] = ("--count", "--by", "--balanced"),
) -> Request:
    """Holds what is asked against the task.

    Args:
        labels: Of the model.
        count: See `Request`.
        by: None: margin, or coverage of a task whose answers have no probabilities.
        balanced: See `Request`.
        seed: See `Request`.
        flags: What the first three are called, for messages.

    Raises:
        UserError: The task cannot be asked that; all problems at once.
    """
    check_able(labels.task, "rank")
    accepted = (*labels.measures, "coverage")
    problems = []
    if count < 1:
        problems.append(f"{flags[0]}: received {count}; accepted: a whole number of at least 1")
    strategy = next((one for one in STRATEGIES if one == (by or accepted[0])), None)
    if strategy not in accepted:
        why = f" for a {labels.task} model" if strategy else ""
        problems.append(f"{flags[1]}: received {by!r}{why}; accepted: {', '.join(accepted)}")
    if balanced and not labels.is_one_class:
        problems.append(
            f"{flags[2]}: received, but a {labels.task} model gives {labels.answer_kind}; "
            "accepted: of a model that gives each text one class"
        )
    if problems or strategy is None:
        raise UserError(problems)
    return Request(count, strategy, balanced, seed)


def too_few(flag: str, count: int, found: int, source: str) -> UserError:
    """What is wrong where more texts are asked for than there are."""
    holds = f"{source} holds {found:,} different texts that are not labelled yet"
    accepted = f"1 to {found:,}" if found else "texts that are not labelled"
    return UserError(f"{flag}: received {count:,}, but {holds}; accepted: {accepted}")
