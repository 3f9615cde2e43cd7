"""What checks have found, as records that pages, tables and JSON show."""

from dataclasses import asdict, dataclass
from typing import Any

from tf_finetune.evaluation.intervals import Estimate, share_interval
from tf_finetune.robustness.shift import Shift
from tf_finetune.tasks.wrong_answers import Answer


@dataclass(frozen=True)
class Share:
    """How many of some texts a check failed on.

    Attributes:
        n: Texts that it changed, or whose answer was known.
        failed: How many of them it failed on.
        low: Where the interval of the share begins.
        high: Where it ends.
    """

    n: int
    failed: int
    low: float
    high: float

    @classmethod
    def of(cls, failed: int, n: int, confidence: float) -> "Share":
        """With Clopper and Pearson's interval; of no texts, all that a share can be."""
        low, high = share_interval(failed / n, n, confidence) if n else (0.0, 1.0)
        return cls(n, failed, low, high)

    @property
    def value(self) -> float | None:
        """The share; None of no texts."""
        return self.failed / self.n if self.n else None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"share": self.value, **asdict(self)}


@dataclass(frozen=True)
class Failure:
    """A text on which a check failed.

    Attributes:
        row: Of the text in its source; of a text whose answer is known its number in the check.
        texts: The text, and its second text if there is one.
        changed: The same changed; empty where it was not.
        before: The answer to the text, or the known one.
        after: The answer to the changed text.
        value_before: The probability of what is compared, or the number; None: of no answer.
        value_after: The same of the changed text.
    """

    row: int
    texts: tuple[str, ...]
    changed: tuple[str, ...]
    before: Answer
    after: Answer
    value_before: float | None
    value_after: float | None


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    Attributes:
        name: Of the check.
        kind: Its kind.
        about: What it does, in words.
        decides: Whether it counts for `--most-flipped`.
        share: How often it failed.
        texts: How many texts there were; those it does not change are not counted in `share`.
        by_name: The same of the texts of each class, by its name.
        worst: Texts on which it failed, worst first.
        note: Why there is nothing to tell, if so.
    """

    name: str
    kind: str
    about: str
    decides: bool
    share: Share
    texts: int
    by_name: dict[str, Share]
    worst: tuple[Failure, ...]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "about": self.about,
            "decides": self.decides,
            "texts": self.texts,
            "applies_to": self.share.n,
            **{k: v for k, v in self.share.to_dict().items() if k != "n"},
            "by_class": {name: share.to_dict() for name, share in self.by_name.items()},
            "worst": [asdict(failure) for failure in self.worst],
            "note": self.note,
        }


@dataclass(frozen=True)
class Slice:
    """The score of a part of the texts.

    Attributes:
        column: What tells the parts apart: a column of the data, or "length in tokens".
        name: Of the part.
        n: Texts in it.
        score: The task's headline score of them.
        below: Whether its interval ends below the score of all texts (above, of errors).
    """

    column: str
    name: str
    n: int
    score: Estimate
    below: bool


@dataclass(frozen=True)
class CheckReport:
    """What a battery of checks found.

    Attributes:
        source: Where the texts are from.
        task: The task.
        n: Texts that were checked.
        of: Texts that there are.
        confidence: Coverage of the intervals.
        tolerance: By how much a number may change; 0 where answers are names.
        metric: The score of the slices.
        score: Of all texts.
        checks: One a check.
        slices: One a part.
        most_flipped: The largest share that was accepted; None: any.
        shift: How new the texts are to the model; None: not asked for.
    """

    source: str
    task: str
    n: int
    of: int
    confidence: float
    tolerance: float
    metric: str
    score: Estimate
    checks: tuple[CheckResult, ...]
    slices: tuple[Slice, ...]
    most_flipped: float | None = None
    shift: Shift | None = None

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The checks that failed on a larger share than was accepted."""
        if self.most_flipped is None:
            return ()
        return tuple(
            one
            for one in self.checks
            if one.decides and (one.share.value or 0.0) > self.most_flipped
        )

    @property
    def verdict(self) -> str:
        """What came of it, in a sentence."""
        if self.most_flipped is None:
            return self._most_often
        failed, at_most = self.failed, f"{100 * self.most_flipped:g} %"
        if not failed:
            return f"passed: no check that decides failed on more than {at_most} of its texts"
        named = ", ".join(f"{one.name} {100 * (one.share.value or 0):.1f} %" for one in failed)
        return f"failed: above {at_most} of the texts: {named}"

    @property
    def worst(self) -> CheckResult | None:
        """Of the checks that decide the one that failed most often; None where none applies."""
        counted = [one for one in self.checks if one.decides and one.share.n]
        return max(counted, key=lambda one: one.share.value or 0.0, default=None)

    @property
    def _most_often(self) -> str:
        told, worst = f"{len(self.checks)} checks on {self.n:,} texts", self.worst
        if worst is None:
            return f"{told}, of which none applies to them"
        share = worst.share
        ends = f"{100 * share.low:.1f} to {100 * share.high:.1f} %"
        return (
            f"{told}: {worst.name} fails most often, on {100 * (share.value or 0):.1f} % ({ends}) "
            "of its texts"
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = {k: v for k, v in vars(self).items() if k not in ("checks", "slices", "shift")}
        return {
            **found,
            "verdict": self.verdict,
            "failed": [one.name for one in self.failed],
            "checks": [one.to_dict() for one in self.checks],
            "slices": [asdict(one) for one in self.slices],
            "shift": None if self.shift is None else asdict(self.shift),
        }
