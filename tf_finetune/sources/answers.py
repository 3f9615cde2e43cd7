"""Questions whose answers are spans of a context, with the places of the answers."""

from tf_finetune.options.data import DataConfig
from tf_finetune.sources.answer_values import answer_at, answers_in
from tf_finetune.sources.fields import MISSING, add_fault, read_text
from tf_finetune.sources.inference import Sample
from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.record_form import ReadRow, RecordForm, first_named, mostly, undecided
from tf_finetune.sources.records import Record
from tf_finetune.sources.squad import COLUMNS
from tf_finetune.sources.table import Row, Table

_QUESTIONS = ("question", "query")
_CONTEXTS = ("context", "passage", "paragraph", "document", "text")
_ANSWERS = ("answers", "answer")
_ANSWER_TEXTS = ("answer_text", "answer", "answers")
_STARTS = ("answer_start", "start", "answer_offset")
_ACCEPTED = (
    "a list of objects with text and answer_start, or an object with lists of the two, empty where "
    "the context holds no answer"
)
_OPTIONS = ("text_column", "text_pair_column", "label_column")
_CONTEXT_SHOWN = 40
_MARK = "\ufeff"
_MARKED = "contexts that begin with a byte order mark, which was left out"


class Answers(RecordForm):
    """Records of `span`: a question, its context, and the places of its answers in it."""

    task = "span"
    kinds = ("squad",)
    needs = (
        "questions, contexts and answers with their places: JSON of SQuAD's form, or columns "
        "question, context and answers (or answer_text and answer_start)"
    )
    options = frozenset({"text_column", "text_pair_column", "label_column", "span_columns"})

    def recognised(self, table: Table, sample: Sample, config: DataConfig) -> dict[str, object]:
        """JSON of SQuAD's form, or columns of question, context and answers with places."""
        columns = sample.columns
        if not (first_named(columns, _QUESTIONS) and first_named(columns, _CONTEXTS)):
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
        """The columns with well-known names; that of answers by what it holds too."""
        if table.kind == "squad":
            return dict(zip(_OPTIONS, COLUMNS, strict=True))
        names = sample.columns
        found: dict[str, object] = {
            "text_column": config.text_column or first_named(names, _QUESTIONS),
            "text_pair_column": config.text_pair_column or first_named(names, _CONTEXTS),
        }
        for option, column in found.items():
            if column is None:
                reason = "no column has a known name"
                problems.add(undecided(self, sample, option, reason))
        if not labelled:
            return found
        label, starts = config.label_column, config.span_columns
        if label is None and starts is None:
            held = [name for name in names if _hold_answers(sample.values(name))]
            label = first_named(held, _ANSWERS)
        if label is None:
            start = first_named(names, _STARTS)
            label = first_named([name for name in names if name != start], _ANSWER_TEXTS)
            starts = starts or ((start,) if start else None)
        elif starts is None and not _hold_answers(sample.values(label)):
            start = first_named(names, _STARTS)
            starts = (start,) if start else None
        if label is None or (starts is None and not _hold_answers(sample.values(label))):
            reason = "no column holds answers with their places"
            problems.add(undecided(self, sample, "label_column", reason))
        if starts is not None and len(starts) != 1:
            problems.add(
                f"data.span_columns: received {len(starts)} columns; accepted: one, of the starts "
                "of the answers"
            )
        return {**found, "label_column": label, "span_columns": starts}

    def used_columns(self, config: DataConfig, *, labelled: bool) -> list[tuple[str, str]]:
        """The columns that the options name; those of places belong to the answers."""
        used = super().used_columns(config, labelled=labelled)
        return [(option, name) for option, name in used if labelled or option != "span_columns"]

    def reader(
        self, table: Table | None, config: DataConfig, problems: Problems, *, labelled: bool
    ) -> ReadRow:
        """What reads questions and checks that their answers stand where they should."""
        if table is None:
            return lambda row: _given_record(row, config, problems)
        return lambda row: _record(row, config, problems, labelled=labelled)


def _given_record(row: Row, config: DataConfig, problems: Problems) -> Record | None:
    """A question that is asked by itself: whoever asks counts the characters that were sent."""
    context = row.values.get(config.text_pair_column or "")
    if isinstance(context, str) and context.startswith(_MARK):
        problems.add(
            f"{row.place}: {config.text_pair_column} begins with a byte order mark, which places "
            "of answers would or would not count; accepted: a context without it"
        )
        return None
    return _record(row, config, problems, labelled=False)


def _record(row: Row, config: DataConfig, problems: Problems, *, labelled: bool) -> Record | None:
    before = problems.count
    question = read_text(row, config.text_column or "", problems)
    if config.text_pair_column is None:
        problems.add(f"{row.place}: has a question without a context; accepted: both")
        return None
    row, shift = _without_mark(row, config.text_pair_column, problems)
    context = read_text(row, config.text_pair_column, problems)
    if not labelled:
        return None if problems.count > before else Record(row.number, question, context, None)
    found = _found(row, config, problems)
    if problems.count > before:
        return None
    for text, start in found:
        fault = _fault(context, text, start, shift)
        if fault:
            problems.add(f"{row.place}, column {config.label_column!r}: {fault}")
    if problems.count > before:
        return None
    spans = tuple((start - shift, start - shift + len(text)) for text, start in found)
    return Record(row.number, question, context, tuple(text for text, _ in found), spans)


def _found(row: Row, config: DataConfig, problems: Problems) -> list[tuple[str, int]]:
    """Texts and starts of a row's answers, each once; [] also with a problem."""
    column = config.label_column or ""
    value = row.values.get(column, MISSING)
    if config.span_columns is None:
        found = answers_in(value)
        if found is None:
            add_fault(row, column, value, f"accepted: {_ACCEPTED}", problems)
    else:
        start = row.values.get(config.span_columns[0])
        found = answer_at(value, start)
        if found is None:
            fault = f"with the start {show(start)}; accepted: an answer and its start, or neither"
            add_fault(row, column, value, fault, problems)
    return list(dict.fromkeys(found or ()))  # several people may have given the same answer


def _without_mark(row: Row, column: str, problems: Problems) -> tuple[Row, int]:
    """A row without a byte order mark before its context, and by how much that moves offsets."""
    value = row.values.get(column)
    text = value.lstrip(_MARK) if isinstance(value, str) else ""
    if not text or not isinstance(value, str) or text == value:
        return row, 0
    problems.note(_MARKED, f"row {row.number}")
    return row._replace(values={**row.values, column: text}), len(value) - len(text)


def _fault(context: str, text: str, start: int, shift: int) -> str:
    """What is wrong with an answer's place, or ""; the file has further characters before."""
    if not text.strip():
        return f"received the answer {show(text)}; accepted: a text that is not empty"
    place = start - shift
    if place >= 0 and context.startswith(text, place):
        return ""
    received = f"received the answer {show(text)} at {start}, "
    if 0 <= place < len(context):
        stands = context[place : place + min(len(text), _CONTEXT_SHOWN)]
        received += f"where the context has {show(stands)}"
    else:
        received += f"but the context has {len(context):,} characters"
    before, behind = (
        context.rfind(text, 0, max(0, place) + len(text)),
        context.find(text, max(0, place)),
    )
    found = [at + shift for at in (before, behind) if at >= 0]
    if not found:
        return f"{received}, and nowhere that answer; accepted: a text of the context"
    nearest = min(found, key=lambda at: abs(at - start))
    return f"{received}; accepted: {nearest}, where it stands"


def _hold_answers(values: list[object]) -> bool:
    return mostly(answers_in(value) is not None for value in values)
