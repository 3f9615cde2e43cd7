"""Asks a model texts before and after each change, and counts what becomes of its answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tf_finetune.robustness.changes import changed_but_for
from tf_finetune.robustness.checks import Check
from tf_finetune.robustness.results import CheckResult, Failure, Share
from tf_finetune.sources.records import Record
from tf_finetune.tasks.labels import LabelSpace

# Gives the outputs of some texts in their order, finite float [n, C].
Ask = Callable[[Sequence[Record]], np.ndarray]

_UNCHANGED = "changes none of the texts"
_NO_SURENESS = "does not apply: an answer that is a number has no probability"


@dataclass(frozen=True, eq=False)
class Asked:
    """Texts and what a model answers to them.

    Attributes:
        records: n texts.
        targets: Their labels.
        logits: The model's outputs.
    """

    records: Sequence[Record]
    targets: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class Battery:
    """Runs checks.

    Attributes:
        labels: What outputs mean.
        ask: The model.
        columns: Of the text and of the second text, where they have any.
        seed: Of the changes.
        tolerance: By how much a number may change.
        confidence: Coverage of the intervals.
        most_worst: Failures that are kept of each check.
    """

    labels: LabelSpace
    ask: Ask
    columns: tuple[str | None, str | None]
    seed: int = 0
    tolerance: float = 0.0
    confidence: float = 0.95
    most_worst: int = 20

    def run(self, check: Check, asked: Asked) -> CheckResult:
        """Runs a check.

        Args:
            check: The check, whose columns and labels `check_goes_with` has accepted.
            asked: The texts; of no use to a minimum function.
        """
        if check.kind == "minimum_function":
            return self._known(check)
        places, changed = self._changed(check, asked.records)
        if not places:
            return self._nothing(check, len(asked.records), _UNCHANGED)
        before, after = asked.logits[places], self.ask(changed)
        answers = self.labels.predicted(before), self.labels.predicted(after)
        failed, values = self._failed(check, (before, after), answers)
        if values is None:
            return self._nothing(check, len(asked.records), _NO_SURENESS)
        originals = [asked.records[place] for place in places]
        worst = self._worst(failed, originals, changed, answers, values)
        having = self.labels.having(asked.targets[places])
        by_name = {
            name: self._share(failed[having[:, output]])
            for output, name in enumerate(self.labels.names)
            if having[:, output].any()
        }
        return self._result(check, failed, len(asked.records), by_name, worst)

    def _changed(self, check: Check, records: Sequence[Record]) -> tuple[list[int], list[Record]]:
        """The places of the texts that a check changes, and these changed."""
        places, found = [], []
        for place, record in enumerate(records):
            changed = self._changed_record(check, record)
            if changed != record:
                places.append(place)
                found.append(changed)
        return places, found

    def _changed_record(self, check: Check, record: Record) -> Record:
        # The row is that of the source, so a text is changed alike whichever others are checked.
        seed = f"{self.seed}:{record.row}:{check.name}"

        def changed(text: str, column: str | None) -> str:
            assert check.change is not None
            if check.column is not None and check.column != column:
                return text
            found = changed_but_for(check.change, text, seed, self.labels.kept_words)
            return found if found.strip() else text  # a text is never blank

        first, second = self.columns
        text = changed(record.text, first)
        pair = None if record.text_pair is None else changed(record.text_pair, second)
        return replace(record, text=text, text_pair=pair)

    def _failed(
        self,
        check: Check,
        logits: tuple[np.ndarray, np.ndarray],
        predicted: tuple[np.ndarray, np.ndarray],
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
        """On which texts a check failed, bool [n], and what it compared before and after."""
        (before, after), (answers, given) = logits, predicted
        sure = self.labels.support(answers, before), self.labels.support(answers, after)
        if check.kind == "invariance":
            failed = self.labels.differ(answers, given, self.tolerance)
            if sure[0] is None or sure[1] is None:
                return failed, (answers.astype(np.float64), given.astype(np.float64))
            return failed, (sure[0], sure[1])
        if check.expect == "less_sure":
            if sure[0] is None or sure[1] is None:
                return np.zeros(len(before), bool), None
            return sure[1] - sure[0] > check.tolerance, (sure[0], sure[1])
        label = check.label if isinstance(check.label, str) else None
        output = self.labels.output_of(label)
        assert output is not None
        was, now = (self.labels.leaning(one, output) for one in logits)
        against = was - now if check.expect == "more" else now - was
        allowed = check.tolerance if self.labels.names else self.tolerance
        return against > allowed, (was, now)

    def _known(self, check: Check) -> CheckResult:
        records = [Record(n, *both, None) for n, both in enumerate(check.texts, start=1)]
        logits = self.ask(records)
        answer = self.labels.answer_of(
            (check.label,) if isinstance(check.label, str) else check.label or ()
        )
        assert answer is not None
        right = np.repeat(answer, len(records), axis=0)
        given = self.labels.predicted(logits)
        failed = self.labels.differ(right, given, self.tolerance)
        sure = self.labels.support(right, logits)
        values = right.astype(np.float64) if sure is None else sure
        after = given.astype(np.float64) if sure is None else sure
        worst = self._worst(failed, records, None, (right, given), (values, after))
        return self._result(check, failed, len(records), {}, worst)

    def _worst(
        self,
        failed: np.ndarray,
        records: Sequence[Record],
        changed: Sequence[Record] | None,
        answers: tuple[np.ndarray, np.ndarray],
        values: tuple[np.ndarray, np.ndarray],
    ) -> tuple[Failure, ...]:
        was, now = values
        # What has moved furthest; of known answers, where the right one is the least likely.
        is_chance = changed is None and self.labels.names
        moved = -now if is_chance else np.abs(now - was)
        order = np.argsort(-moved, kind="stable")
        worst = order[failed[order]][: self.most_worst]
        return tuple(
            Failure(
                records[n].row,
                _texts(records[n]),
                () if changed is None else _texts(changed[n]),
                self.labels.words(answers[0][n]),
                self.labels.words(answers[1][n]),
                None if changed is None else float(was[n]),
                float(now[n]),
            )
            for n in worst.tolist()
        )

    def _result(
        self,
        check: Check,
        failed: np.ndarray,
        texts: int,
        by_name: dict[str, Share],
        worst: tuple[Failure, ...],
        note: str = "",
    ) -> CheckResult:
        share = self._share(failed)
        described = (check.name, check.kind, check.about, check.decides)
        return CheckResult(*described, share, texts, by_name, worst, note)

    def _nothing(self, check: Check, texts: int, note: str) -> CheckResult:
        return self._result(check, np.zeros(0, bool), texts, {}, (), note)

    def _share(self, failed: np.ndarray) -> Share:
        return Share.of(int(failed.sum()), len(failed), self.confidence)


def _texts(record: Record) -> tuple[str, ...]:
    return (record.text,) if record.text_pair is None else (record.text, record.text_pair)
