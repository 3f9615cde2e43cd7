"""Sentences with two entities and the relation between them."""

from collections.abc import Sequence

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.entity_markers import Marked, is_marked, mark_entities, read_markers
from tf_finetune.sources.fields import MISSING, add_fault, is_absent, label_name, read_text
from tf_finetune.sources.inference import (
    LABEL_NAMES,
    TEXT_NAMES,
    Sample,
    infer_label_column,
    infer_text_column,
)
from tf_finetune.sources.places import INCLUSIVE, EndEvidence, Place, place_of
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.record_form import ReadRow, RecordForm, first_named, mostly, undecided
from tf_finetune.sources.records import Record
from tf_finetune.sources.table import Row, Table

_ENTITIES = (
    ("head", "tail"),
    ("subject", "object"),
    ("subj", "obj"),
    ("e1", "e2"),
    ("h", "t"),
    ("entity1", "entity2"),
    ("entity_1", "entity_2"),
)
_RELATIONS = ("relation", "relation_name", "rel", "predicate", *LABEL_NAMES)


class Relations(RecordForm):
    """Records of `relation`: a sentence whose two entities are marked."""

    task = "relation"
    needs = (
        "sentences with two entities and their relation: <e1>…</e1> and <e2>…</e2> in the text, or "
        "a text and two columns with [start, end] (data.span_columns), such as head and tail"
    )
    options = frozenset({"text_column", "label_column", "span_columns"})

    def recognised(self, table: Table, sample: Sample, config: DataConfig) -> dict[str, object]:
        """Texts that are all marked; or two columns of places beside a text and a relation."""
        _check_header(sample)
        marked = _marked_columns(sample)
        spans = config.span_columns or _entity_columns(sample)
        if not marked and (spans is None or first_named(sample.columns, _RELATIONS[:4]) is None):
            return {}
        problems = Problems()
        found = self.columns(table, sample, config, problems, labelled=True)
        return {} if problems.count else found

    def columns(
        self,
        table: Table,
        sample: Sample,
        config: DataConfig,
        problems: Problems,
        *,
        labelled: bool,
    ) -> dict[str, object]:
        """The column of marked texts, or text and places; and that of relations."""
        _check_header(sample)
        marked = _marked_columns(sample)
        text, label, spans = config.text_column, config.label_column, config.span_columns
        others = {name for name in (label, *(spans or ())) if name}
        if text is None and spans is None:
            text = first_named(marked, TEXT_NAMES) or next(iter(marked), None)
        if text is None:
            text = infer_text_column(sample, others, problems)
        if spans is None and text is not None and text not in marked:
            spans = _entity_columns(sample)
            if spans is None and not any(map(is_marked, sample.values(text))):
                reason = f"{show(text)} holds no markers, and no two columns hold places in it"
                problems.add(undecided(self, sample, "span_columns", reason))
        if spans is not None and len(spans) != 2:
            problems.add(
                f"data.span_columns: received {len(spans)} columns; accepted: two, of the first "
                "and the second entity"
            )
        if labelled and label is None and text is not None:
            taken = {text, *(spans or ())}
            left = [name for name in sample.columns if name not in taken]
            label = left[0] if len(left) == 1 else first_named(left, _RELATIONS)
            label = label or infer_label_column(sample, taken, problems)
        return {"text_column": text, "label_column": label, "span_columns": spans}

    def reader(
        self, table: Table | None, config: DataConfig, problems: Problems, *, labelled: bool
    ) -> ReadRow:
        """What reads sentences; of places, the whole source tells what their ends mean."""
        inclusive = table is not None and _are_inclusive(table, config)

        def read(row: Row) -> Record | None:
            before = problems.count
            marked = _sentence(row, config, problems, inclusive=inclusive)
            label = None
            if labelled:
                value = row.values.get(config.label_column or "", MISSING)
                label = None if is_absent(value) else label_name(value)
                if label is None:
                    add_fault(row, config.label_column or "", value, _NO_RELATION, problems)
            if marked is None or problems.count > before:
                return None
            return Record(row.number, marked.text, None, label, marked.spans)

        return read


_NO_RELATION = "accepted: the name of a relation, not empty and without control characters"


def _sentence(
    row: Row, config: DataConfig, problems: Problems, *, inclusive: bool
) -> Marked | None:
    """The marked sentence of a row, or None and a problem."""
    column = config.text_column or ""
    text = read_text(row, column, problems)
    if not text:
        return None
    if config.span_columns is None:
        found = read_markers(text)
    else:
        places = _places(row, config.span_columns, text, problems, inclusive=inclusive)
        if places is None:
            return None
        found = mark_entities(text, *places)
    if isinstance(found, Marked):
        return found
    problems.add(f"{row.place}, column {column!r}: received {show(text)}, which {found}")
    return None


def _places(
    row: Row, columns: Sequence[str], text: str, problems: Problems, *, inclusive: bool
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    found = []
    for column in columns:
        value = row.values.get(column, MISSING)
        place = place_of(value)
        if place is None:
            fault = "accepted: [start, end], or an object with start and end (or pos)"
            add_fault(row, column, value, fault, problems)
            continue
        end = place.end + inclusive
        if not 0 <= place.start < end <= len(text):
            fault = f"is no place in the text of {len(text):,} characters; accepted: one in it"
            add_fault(row, column, value, fault, problems)
        elif place.text not in (None, text[place.start : end]):
            fault = f"is where the text has {show(text[place.start : end])}; accepted: its place"
            add_fault(row, column, value, fault, problems)
        else:
            found.append((place.start, end))
    if len(found) < len(columns):
        return None
    if inclusive:
        problems.note(INCLUSIVE, f"row {row.number}")
    return found[0], found[1]


def _are_inclusive(table: Table, config: DataConfig) -> bool:
    """Whether the ends of a source's places count themselves; all of it is read."""
    if config.span_columns is None:
        return False
    evidence = EndEvidence()
    for row in table.rows(Problems()):
        text = row.values.get(config.text_column or "")
        places = [place_of(row.values.get(column)) for column in config.span_columns]
        if isinstance(text, str):
            evidence.add(text, [place for place in places if place is not None])
    return evidence.inclusive


def _check_header(sample: Sample) -> None:
    """Refuses a first row of column names that holds markers."""
    if sample.named_by_file and any(map(is_marked, sample.columns)):
        raise UserError(
            f"{sample.name}, row 1: holds <e1> or <e2>, so it names no columns; accepted: "
            "data.header: false"
        )


def _marked_columns(sample: Sample) -> list[str]:
    """Columns of texts with markers."""
    return [name for name in sample.columns if mostly(map(is_marked, sample.values(name)))]


def _entity_columns(sample: Sample) -> tuple[str, str] | None:
    """Two columns with known names that hold places."""
    lowered = {name.lower(): name for name in sample.columns}
    for names in _ENTITIES:
        pair = [lowered[name] for name in names if name in lowered]
        if len(pair) == 2 and all(_hold_places(sample.values(name)) for name in pair):
            return pair[0], pair[1]
    return None


def _hold_places(values: list[object]) -> bool:
    return mostly(isinstance(place_of(value), Place) for value in values)
