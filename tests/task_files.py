"""A small file of examples for each task, in the words of the tiny tokenizer."""

import csv
import json
from pathlib import Path

_WORDS = ("good", "bad and dull", "not very great", "fine", "poor ,")
_COUNT = 24


def write_task_file(task: str, folder: Path) -> dict[str, object]:
    """Writes 24 examples of several lengths, and gives the options of `data` that read them.

    Texts of tags and contexts of questions are longer than a row of 32 tokens now and then.
    """
    name, content, options = _FILES[task]
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        content(file)
    return {"train": str(path), "task": task, "max_length": 32, **options}


def _long(number):
    return "very " * (number % 5)


def _classes(file):
    rows = [(f"the film {n} was {_long(n)}{_WORDS[n % 5]}", "abc"[n % 3]) for n in range(_COUNT)]
    csv.writer(file).writerows([("text", "label"), *rows])


def _several(file):
    rows = [
        (f"the film {n} was {_long(n)}{_WORDS[n % 5]}", ("a|b", "b", "", "c")[n % 4])
        for n in range(_COUNT)
    ]
    csv.writer(file).writerows([("text", "label"), *rows])


def _values(file):
    rows = [(f"the film {n} was {_long(n)}{_WORDS[n % 5]}", n % 5 / 2) for n in range(_COUNT)]
    csv.writer(file).writerows([("text", "label"), *rows])


def _tags(file):
    for number in range(_COUNT):
        words = [("the", "O"), ("film", "B-film"), ("good", "I-film"), ("was", "O")]
        words += [(str(number % 10), "B-year")] + [("very", "O")] * (number % 3)
        words *= 6 if number % 6 == 5 else 1
        file.writelines(f"{word}\t{tag}\n" for word, tag in words)
        file.write("\n")


def _relations(file):
    for number in range(_COUNT):
        label = ("Cause(e1,e2)", "Cause(e2,e1)", "Other")[number % 3]
        first, second = ("film", "plot") if number % 2 else ("plot", "actors")
        text = f"the <e1>{first}</e1> was {_long(number)}<e2>{second}</e2> ."
        file.write(f"{label}\t{text}\n")


def _spans(file):
    paragraphs = []
    for number in range(_COUNT):
        answer = _WORDS[number % 5].removesuffix(" ,")
        context = f"the plot {number} is dull . " * (1 + number % 3) + f"the actors was {answer} ."
        answers = [{"text": answer, "answer_start": context.rindex(answer)}]
        question = {"question": "was the film fine ?", "id": str(number), "answers": answers}
        paragraphs.append({"context": context, "qas": [question]})
    json.dump({"version": "1.1", "data": [{"paragraphs": paragraphs}]}, file)


def _choices(file):
    rows = [
        ("the film was " * (1 + n % 2), *(_WORDS[(n + place) % 5] for place in range(3)), n % 3)
        for n in range(_COUNT)
    ]
    csv.writer(file).writerows([("text", "choice0", "choice1", "choice2", "label"), *rows])


_FILES = {
    "single_label": ("classes.csv", _classes, {}),
    "multi_label": ("several.csv", _several, {"label_separator": "|"}),
    "regression": ("values.csv", _values, {}),
    "token_classification": ("tags.conll", _tags, {}),
    "relation": ("relations.tsv", _relations, {"header": False}),
    "span": ("spans.json", _spans, {}),
    "multiple_choice": ("choices.csv", _choices, {"max_length": 64}),
}
