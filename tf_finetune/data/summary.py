"""What was loaded, and what about it may mislead: figures first, then warnings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tf_finetune.data.splits import Split
from tf_finetune.sources.problems import show
from tf_finetune.tasks.labels import LabelSpace

EXAMPLES = 3
TRUNCATED_SHARE_TO_WARN = 0.05
UNKNOWN_SHARE_TO_WARN = 0.05
IMBALANCE_TO_WARN = 10.0
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class SplitSummary:
    """Figures of one split.

    Attributes:
        name: `train`, `validation` or `test`.
        source: Where it came from.
        rows: Number of examples.
        class_counts: Of each of the `label_names` of the summary; () for regression.
        target_range: Least, mean and greatest target of a regression task, else None.
        length_p50: Median length in tokens, of the whole texts, before they are cut; p90 and p99
            likewise, and the longest.
        truncated_share: Share of texts that were longer than `data.max_length`.
        unknown_share: Share of the tokens, of the texts as they are cut and without those that
            mark their ends, that stand for what the tokenizer does not know.
        duplicates: Examples whose text stands earlier in the same split.
    """

    name: str
    source: str
    rows: int
    class_counts: tuple[int, ...]
    target_range: tuple[float, float, float] | None
    length_p50: int
    length_p90: int
    length_p99: int
    length_max: int
    truncated_share: float
    unknown_share: float
    duplicates: int


@dataclass(frozen=True)
class SharedTexts:
    """Texts that stand in two splits.

    Attributes:
        first: Name of the one split.
        second: Name of the other.
        count: Examples of `second` whose text is in `first` too.
        examples: Up to three pairs of source rows, in `first` and in `second`.
    """

    first: str
    second: str
    count: int
    examples: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class DataSummary:
    """What the splits of a job hold.

    Attributes:
        task: What is predicted.
        label_names: Names of what is counted, such as the classes; () for regression.
        splits: Figures of each split.
        shared_texts: Pairs of splits that share texts.
        conflicting_texts: Distinct training texts that stand there with different labels.
        conflict_examples: Up to three pairs of source rows of such a text.
        warnings: Sentences about what may mislead.
    """

    task: str
    label_names: tuple[str, ...]
    splits: tuple[SplitSummary, ...]
    shared_texts: tuple[SharedTexts, ...]
    conflicting_texts: int
    conflict_examples: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain dictionaries, for JSON."""
        return asdict(self)


def summarize(
    splits: Sequence[Split], labels: LabelSpace, notes: Sequence[str] = ()
) -> DataSummary:
    """Summarize the splits of a job, training examples first.

    Args:
        splits: The splits, at least one.
        labels: What the labels mean.
        notes: Sentences about that, the first of the warnings.
    """
    figures = tuple(_summarize_split(split, labels) for split in splits)
    shared = [_shared_texts(first, second) for first, second in combinations(splits, 2)]
    shared = [found for found in shared if found.count]
    conflicts, examples = _conflicts(splits[0])
    warnings = [
        *notes,
        *_class_warnings(figures, labels),
        *_source_notes(splits),
        *_unknown_warnings(splits, figures),
        *(f"{splits[0].name}: {found}" for found in labels.target_warnings(splits[0].labels)),
        *_length_warnings(figures, splits[0].store.max_length),
        *(_shared_warning(found) for found in shared),
    ]
    if conflicts:
        warnings.append(
            f"{splits[0].name}: texts with different labels: {conflicts:,}, such as rows "
            f"{examples[0][0]} and {examples[0][1]}"
        )
    return DataSummary(
        task=labels.task,
        label_names=labels.counted_names,
        splits=figures,
        shared_texts=tuple(shared),
        conflicting_texts=conflicts,
        conflict_examples=examples,
        warnings=tuple(warnings),
    )


def _summarize_split(split: Split, labels: LabelSpace) -> SplitSummary:
    whole_lengths = split.store.whole_lengths[split.rows]
    quantiles = np.percentile(whole_lengths, [50, 90, 99, 100], method="higher").tolist()
    p50, p90, p99, longest = map(int, quantiles)
    return SplitSummary(
        name=split.name,
        source=split.store.source,
        rows=split.num_examples,
        class_counts=tuple(labels.class_counts(split.labels).tolist()),
        target_range=labels.target_range(split.labels),
        length_p50=p50,
        length_p90=p90,
        length_p99=p99,
        length_max=longest,
        truncated_share=float(split.store.truncated[split.rows].mean()),
        unknown_share=_unknown_share(split),
        duplicates=split.num_examples - len(np.unique(_text_hashes(split))),
    )


def _unknown_share(split: Split) -> float:
    tokens = int(split.lengths.sum(dtype=np.int64)) - len(split) * split.store.marking_tokens
    return int(split.store.unknown[split.rows].sum(dtype=np.int64)) / max(1, tokens)


def _shared_texts(first: Split, second: Split) -> SharedTexts:
    hashes, position = np.unique(_text_hashes(first), return_index=True)
    examples = _first_rows(second)
    candidates = _text_hashes(second)[examples]
    place = np.minimum(np.searchsorted(hashes, candidates), len(hashes) - 1)
    found = np.flatnonzero(hashes[place] == candidates)
    shown = found[:EXAMPLES]
    pairs = zip(
        first.source_rows[position[place[shown]]].tolist(),
        second.source_rows[examples[shown]].tolist(),
        strict=True,
    )
    return SharedTexts(first.name, second.name, len(found), tuple(pairs))


def _conflicts(split: Split) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Distinct texts with different labels, and up to three pairs of source rows."""
    # Of a text that is several rows each is compared with the row at its own place in the other.
    hashes, place = _text_hashes(split), np.arange(len(split)) - _first_rows(split)[split.examples]
    _, which, count = np.unique(
        np.stack([hashes, place.astype(np.uint64)], axis=1),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    several = np.flatnonzero(count[which.reshape(-1)] > 1)
    targets = split.labels[several]
    if targets.ndim == 2:
        targets = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.lexsort((targets, place[several], hashes[several]))
    several, targets = several[order], targets[order]
    hashes, place = hashes[several], place[several]
    same = (hashes[1:] == hashes[:-1]) & (place[1:] == place[:-1])
    differ = np.flatnonzero(same & (targets[1:] != targets[:-1]))
    _, once = np.unique(hashes[differ], return_index=True)
    rows = split.source_rows[several]
    pairs = tuple((int(rows[i]), int(rows[i + 1])) for i in differ[once][:EXAMPLES])
    return len(once), pairs


def _first_rows(split: Split) -> np.ndarray:
    """The first row of each example, int64 [examples]."""
    return np.unique(split.examples, return_index=True)[1]


def _text_hashes(split: Split) -> np.ndarray:
    return split.store.text_hashes[split.rows]


def _class_warnings(figures: Sequence[SplitSummary], labels: LabelSpace) -> list[str]:
    warnings = []
    for figure in figures:
        counts = figure.class_counts
        names = zip(labels.counted_names, counts, strict=False)
        missing = [name for name, count in names if not count]
        if missing:
            shown = ", ".join(map(show, missing[:_NAMES_SHOWN]))
            more = f" and {len(missing) - _NAMES_SHOWN} more" * (len(missing) > _NAMES_SHOWN)
            warnings.append(f"{figure.name}: no {labels.counted} of {shown}{more}")
    present = [count for count in figures[0].class_counts if count]
    if len(present) > 1 and max(present) > IMBALANCE_TO_WARN * min(present):
        # Parts of a text have no weights of their own.
        advice = "" if labels.answers_parts else ", and at training.class_weights"
        warnings.append(
            f"{figures[0].name}: the commonest {labels.nouns[0]} has "
            f"{max(present) / min(present):.0f} times the {labels.counted} of the rarest; look at "
            f"macro F1{advice}"
        )
    return warnings


def _source_notes(splits: Sequence[Split]) -> list[str]:
    """What the sources' readers saw, once for each source."""
    stores = {split.store.key: split.store for split in splits}
    return [f"{store.source}: {note}" for store in stores.values() for note in store.notes]


def _unknown_warnings(splits: Sequence[Split], figures: Sequence[SplitSummary]) -> list[str]:
    return [
        f"{figure.name}: {figure.unknown_share:.0%} of the tokens are unknown to the encoder's "
        f"tokenizer, such as {', '.join(map(show, split.store.unknown_examples))}: the model sees "
        "nothing of them; choose an encoder of that language (encoder.name)"
        for split, figure in zip(splits, figures, strict=True)
        if figure.unknown_share > UNKNOWN_SHARE_TO_WARN
    ]


def _length_warnings(figures: Sequence[SplitSummary], max_length: int) -> list[str]:
    return [
        f"{figure.name}: {figure.truncated_share:.0%} of the texts were cut to data.max_length "
        f"({max_length} tokens)"
        for figure in figures
        if figure.truncated_share > TRUNCATED_SHARE_TO_WARN
    ]


def _shared_warning(shared: SharedTexts) -> str:
    first_row, second_row = shared.examples[0]
    return (
        f"{shared.second}: texts that are in {shared.first} too: {shared.count:,}, such as row "
        f"{second_row} ({shared.first} row {first_row}); its scores will flatter"
    )
