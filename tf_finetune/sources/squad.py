"""The JSON of SQuAD 1.1 and 2.0: articles of paragraphs of questions, as a table of questions.

See Rajpurkar et al. 2016 and 2018.
"""

from collections.abc import Generator, Mapping
from dataclasses import replace

from tf_finetune.sources.problems import Problems, show
from tf_finetune.sources.table import Row, Table

COLUMNS = ("question", "context", "answers")


def is_squad(values: Mapping[str, object]) -> bool:
    """Whether an object is an article of paragraphs, or a paragraph with its questions."""
    return isinstance(values.get("paragraphs"), list) or (
        isinstance(values.get("context"), str) and isinstance(values.get("qas"), list)
    )


def as_questions(table: Table) -> Table:
    """The questions of a table of articles or paragraphs.

    Rows are counted by questions, and messages name a question's id too.
    """

    def rows(problems: Problems) -> Generator[Row, None, None]:
        number = 0
        for article in table.rows(problems):
            paragraphs = article.values.get("paragraphs", [article.values])
            for paragraph in paragraphs if isinstance(paragraphs, list) else [paragraphs]:
                for question in _questions(paragraph, article.place, problems):
                    number += 1
                    place = f"{table.name}, row {number}{_called(question)}"
                    yield Row(number, _values(question, paragraph, place, problems), place)

    return replace(table, kind="squad", columns=COLUMNS, rows=rows)


def _questions(paragraph: object, place: str, problems: Problems) -> list[dict[str, object]]:
    questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
    if isinstance(questions, list) and all(isinstance(one, dict) for one in questions):
        return questions
    problems.add(
        f"{place}: received the paragraph {show(paragraph)}; accepted: an object with context and "
        "qas, a list of questions"
    )
    return []


def _called(question: Mapping[str, object]) -> str:
    name = question.get("id")
    return "" if name is None else f" (id {show(name)})"


def _values(
    question: dict[str, object], paragraph: object, place: str, problems: Problems
) -> dict[str, object]:
    values: dict[str, object] = {
        name: question[name] for name in ("question", "answers") if name in question
    }
    if isinstance(paragraph, dict) and "context" in paragraph:
        values["context"] = paragraph["context"]
    if question.get("is_impossible"):
        if question.get("answers"):
            problems.add(
                f"{place}: is_impossible is true, but there is the answer "
                f"{show(question['answers'])}; accepted: no answers, or false"
            )
        values["answers"] = []
    return values
