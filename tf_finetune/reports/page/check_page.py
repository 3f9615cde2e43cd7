"""The page of a checked model: one offline HTML file with shares, worst texts and slices."""

import os
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, NamedTuple

from tf_finetune.reports.console import printable
from tf_finetune.reports.page import numbers
from tf_finetune.reports.page.explanations import answer_text
from tf_finetune.reports.page.rendering import page_templates
from tf_finetune.reports.page.tables import NAME_CHARACTERS, Table
from tf_finetune.robustness.results import CheckReport, CheckResult, Failure, Share, Slice
from tf_finetune.storage.files import write_atomically
from tf_finetune.tasks.metrics import METRICS
from tf_finetune.tasks.table import TASKS

KIND_TITLES = {
    "minimum_function": "known answers",
    "invariance": "should not change the answer",
    "direction": "should move the answer one way",
}
MOST_NAMES = 8  # classes with a column each; of more the worst are listed
MOST_LISTED = 16
TEXT_CHARACTERS = 600


class Stretch(NamedTuple):
    """A part of a text, and whether the change put it there."""

    text: str
    is_new: bool


def write_check_page(path: str | os.PathLike[str], title: str, report: CheckReport) -> None:
    """Writes the page.

    Args:
        path: The file to write.
        title: Its heading.
        report: What it shows.

    Raises:
        UserError: The file cannot be written.
    """
    page = page_templates().get_template("check.html")
    content = page.render(title=title, **_context(report))
    # A lone surrogate in a user's text has no UTF-8.
    write_atomically(path, content.encode("utf-8", errors="replace"))


def _context(report: CheckReport) -> dict[str, Any]:
    failed = {one.name for one in report.failed}
    return {
        "report": report,
        "verdict": report.verdict,
        "is_failed": bool(failed),
        "tiles": _tiles(report),
        "at_most": report.most_flipped,
        "confidence": f"{100 * report.confidence:g} %",
        "tolerance": numbers.score(report.tolerance) if report.tolerance else None,
        "kinds": [
            (KIND_TITLES[kind], [_row(one, is_failed=one.name in failed) for one in group])
            for kind, group in groupby(_by_kind(report), key=lambda one: one.kind)
        ],
        "classes": class_table(report),
        "worst": [
            (one, [_failure(two) for two in one.worst]) for one in report.checks if one.worst
        ],
        "slices": [
            slice_table(report, list(parts))
            for _, parts in groupby(report.slices, key=lambda one: one.column)
        ],
    }


def _by_kind(report: CheckReport) -> list[CheckResult]:
    order = list(KIND_TITLES)
    return sorted(report.checks, key=lambda one: order.index(one.kind))


def _tiles(report: CheckReport) -> list[tuple[str, str, str]]:
    low, high = numbers.score(report.score["low"]), numbers.score(report.score["high"])
    drawn = f"drawn of {report.of:,}" if report.n < report.of else "all of them"
    tiles = [
        ("texts", f"{report.n:,}", f"{printable(report.source, NAME_CHARACTERS)}, {drawn}"),
        (METRICS[report.metric].title, numbers.score(report.score["value"]), f"{low} to {high}"),
    ]
    worst = report.worst
    if worst is not None:
        detail = f"{printable(worst.name, NAME_CHARACTERS)}, {_interval(worst.share)}"
        tiles.append(("failed most often", numbers.percent(worst.share.value), detail))
    at_most = "any" if report.most_flipped is None else numbers.percent(report.most_flipped)
    tiles.append(("accepted share", at_most, "of the texts of each check that decides"))
    return tiles


def _row(one: CheckResult, *, is_failed: bool) -> dict[str, Any]:
    share = one.share
    return {
        "name": printable(one.name, NAME_CHARACTERS),
        "about": printable(one.about, TEXT_CHARACTERS),
        "note": one.note,
        "share": numbers.percent(share.value),
        "counts": f"{share.failed:,} of {share.n:,}",
        "untouched": one.texts - share.n,
        "interval": _interval(share),
        "left": f"{100 * share.low:.2f}",
        "width": f"{100 * (share.high - share.low):.2f}",
        "value": f"{100 * (share.value or 0.0):.2f}",
        "decides": one.decides,
        "failed": is_failed,
    }


def _interval(share: Share) -> str:
    if not share.n:
        return numbers.NOTHING
    return f"{numbers.percent(share.low)} to {numbers.percent(share.high)}"


def class_table(report: CheckReport) -> Table | None:
    """Shares by class: a column a class, or of many classes the worst; None without classes."""
    names = list(dict.fromkeys(name for one in report.checks for name in one.by_name))
    told = [one for one in report.checks if one.by_name]
    noun = TASKS[report.task].nouns[0]
    if not names or not told:
        return None
    if len(names) <= MOST_NAMES:
        rows = [
            (one.name, *(_cell(one.by_name[n]) if n in one.by_name else "–" for n in names))
            for one in told
        ]
        columns = ("check", *(printable(str(name), NAME_CHARACTERS) for name in names))
        return Table(f"Share of texts that failed, by {noun}", columns, tuple(rows))
    found = [(one.name, str(name), share) for one in told for name, share in one.by_name.items()]
    worst = sorted(found, key=lambda entry: -entry[2].low)[:MOST_LISTED]
    return Table(
        f"Where a check failed most surely, by {noun}",
        ("check", noun, "failed", "share", "interval"),
        tuple(
            (
                check,
                printable(name, NAME_CHARACTERS),
                f"{share.failed:,} of {share.n:,}",
                numbers.percent(share.value),
                _interval(share),
            )
            for check, name, share in worst
        ),
        words=frozenset({0, 1}),
    )


def _cell(share: Share) -> str:
    return f"{numbers.percent(share.value)} ({share.failed:,} of {share.n:,})"


def slice_table(report: CheckReport, parts: Sequence[Slice]) -> Table:
    """Scores of the parts of a column; those that are surely worse than all texts stand out."""
    title = METRICS[report.metric].title
    return Table(
        f"{title} by {printable(parts[0].column, NAME_CHARACTERS)}",
        ("part", "texts", title, "interval"),
        tuple(
            (
                printable(one.name, NAME_CHARACTERS),
                f"{one.n:,}",
                numbers.score(one.score["value"]),
                f"{numbers.score(one.score['low'])} to {numbers.score(one.score['high'])}",
            )
            for one in parts
        ),
        emphasized=frozenset(place for place, one in enumerate(parts) if one.below),
    )


def _failure(one: Failure) -> dict[str, Any]:
    texts = [printable(text, TEXT_CHARACTERS) for text in one.texts]
    changed = [
        list(marked_changes(text, printable(other, TEXT_CHARACTERS)))
        for text, other in zip(texts, one.changed, strict=False)
    ]
    return {
        "row": f"{one.row:,}",
        "before": answer_text(one.before),
        "after": answer_text(one.after),
        "values": _values(one),
        "texts": texts,
        "changed": changed,
    }


def _values(one: Failure) -> str:
    after = numbers.score(one.value_after)
    return after if one.value_before is None else f"{numbers.score(one.value_before)} → {after}"


def marked_changes(text: str, changed: str) -> Iterator[Stretch]:
    """The changed text in stretches, word for word, with what is new in it marked."""
    ones, others = text.split(" "), changed.split(" ")
    codes = SequenceMatcher(None, ones, others, autojunk=False).get_opcodes()
    for place, (code, _, _, start, end) in enumerate(codes):
        if start < end:
            space = "" if place == 0 or not start else " "
            yield Stretch(space, False)
            yield Stretch(" ".join(others[start:end]), code != "equal")
