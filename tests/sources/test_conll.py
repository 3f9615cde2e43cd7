"""Files of words in columns."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.options.data import DataConfig
from tf_finetune.sources.columns import resolve_columns
from tf_finetune.sources.conll import looks_like_conll
from tf_finetune.sources.opening import open_table
from tf_finetune.sources.reading import read_records, read_texts
from tf_finetune.sources.records import Record

TWO = "Anna\tB-per\nsings\tO\n\t\nin\tO\nNew\tB-loc\nYork\tI-loc\n"
RECORDS = [
    Record(1, "Anna sings", None, ("B-per", "O"), ((0, 4), (5, 10))),
    Record(4, "in New York", None, ("O", "B-loc", "I-loc"), ((0, 2), (3, 6), (7, 11))),
]


@pytest.mark.parametrize("name", ["a.conll", "a.iob2", "a.BIO", "a.iob"])
def test_the_ending_tells_the_format_and_the_format_the_task(write, read, name):
    path = write(name, TWO)
    assert read(path) == RECORDS
    config = resolve_columns(DataConfig(train=path))
    assert (config.task, config.text_column, config.label_column) == (
        "token_classification",
        "1",
        "2",
    )
    assert resolve_columns(config) == config


def test_the_format_can_be_said(write, read):
    assert read(write("a.data", TWO), format="conll") == RECORDS


def test_text_files_are_looked_into_where_the_task_is_said(write):
    path = write("a.txt", TWO)
    config = DataConfig(train=path).model_copy(update={"task": "token_classification"})
    assert list(read_records(resolve_columns(config), path)) == RECORDS
    other = write("b.tsv", "tokens\ttags\na b\tO O\n")
    assert not looks_like_conll(config, other, other)


def test_documents_comments_and_further_columns_are_told_apart(write, notes_of):
    content = (
        "-DOCSTART- -X- -X- O\n\n# id 17 anything\n#tag NN B-NP O\n2 CD I-NP B-x\n"
        "# text = a b\n# NN B-NP O\n\n\n-DOCSTART- -X- -X- O\nlast NN B-NP O"
    )
    records, notes = notes_of(write("a.conll", content))
    assert [(r.row, r.text, r.label) for r in records] == [
        (4, "#tag 2 #", ("O", "B-x", "O")),
        (11, "last", ("O",)),
    ]
    assert notes == [
        "lines that begin with # and have no tag, which were skipped: 2, such as row 3"
    ]


def test_words_may_hold_spaces_between_tabs(write, read):
    (record,) = read(write("a.conll", "New York\tB-loc\r\nis\u00a0it\tO\r\n"))
    assert (record.text, record.spans) == ("New York is\u00a0it", ((0, 8), (9, 14)))


def test_other_columns_can_be_named(write, read):
    path = write("a.conll", "0 Anna I-NP B-per _\n1 sings O O _\n")
    (record,) = read(path, text_column="2", label_column="4")
    assert (record.text, record.label) == ("Anna sings", ("B-per", "O"))


def test_the_named_column_tells_comments_from_words(write, read):
    (record,) = read(write("a.conll", "Anna B-per _\n# O _\n# x _\n"), label_column="2")
    assert (record.text, record.label) == ("Anna #", ("B-per", "O"))


def test_a_tab_behind_the_last_column_is_no_border(write, read):
    (record,) = read(write("a.conll", "Anna B-per\t\nsings  O\n"))
    assert (record.text, record.label) == ("Anna sings", ("B-per", "O"))


def test_schemes_are_converted_by_the_whole_file(write, read):
    one, two = read(write("a.conll", "a I-x\nb B-x\n\nc I-x\nd I-y\n"))
    assert (one.label, two.label) == (("B-x", "B-x"), ("B-x", "B-y"))


def test_every_wrong_row_is_named(write, read):
    path = write("a.conll", "a B-x\nb\n\nc PER\n\nd O\ne I-x\n\nf B-x\n \ng S-x\n")
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.problems[0] == f"{path}, row 2: has 1 columns; accepted: 2, as in row 1"
    assert caught.value.problems[1].startswith(
        f"{path}, row 4, column '2': received 'PER' of 'c', which names no kind; accepted: O, or"
    )
    assert f"{path}, row 7, column '2': received 'I-x' of 'e', which " in caught.value.problems[2]
    assert len(caught.value.problems) == 3


def test_mixed_schemes_are_an_error_with_row_and_value(write, read):
    path = write("a.conll", "a B-x\nb L-x\nc U-x\n\nd S-y\n")
    with pytest.raises(UserError, match=r"row 5, column '2': received 'S-y' of 'd', which is no t"):
        read(path)


def test_an_empty_word_is_an_error(write, read):
    with pytest.raises(UserError, match=r"row 2, column '1': received ''; accepted: a text that"):
        read(write("a.conll", "a\tO\n\tO\n"))


def test_a_file_without_words_is_an_error(write, read):
    with pytest.raises(UserError, match=r"is empty; accepted: a word and its tag a line"):
        read(write("a.conll", "\n-DOCSTART- O\n"))


def test_another_task_is_an_error(write):
    path = write("a.conll", TWO)
    with pytest.raises(
        UserError, match=r"not read with data.task: single_label; accepted: data.task: token_class"
    ):
        resolve_columns(DataConfig(train=path, task="single_label"))
    with pytest.raises(UserError, match=r"data.label_separator: ';'; accepted: data.task: token"):
        resolve_columns(DataConfig(train=path, label_separator=";"))


def test_columns_of_words_are_no_source_of_other_forms_and_need_tags(write):
    relation = DataConfig(train=write("a.conll", TWO)).model_copy(update={"task": "relation"})
    with pytest.raises(UserError, match=r"not read with data.task: relation; accepted: data.task:"):
        resolve_columns(relation)
    with pytest.raises(UserError, match=r"b.conll: has no labels; data.task: token_classification"):
        resolve_columns(DataConfig(train=write("b.conll", "a\nb\n")))


def test_a_folder_of_such_files_has_splits(write, read, tmp_path):
    for split in ("train", "test"):
        write(f"set/{split}.conll", TWO)
    config = resolve_columns(DataConfig(train=str(tmp_path / "set"), test=str(tmp_path / "set")))
    assert list(read_records(config, config.test, split="test")) == RECORDS


def test_words_alone_are_read_for_prediction(write):
    path = write("a.conll", "a\nb\n\n#c\n")
    found = [(record.text, record.label) for record in read_texts(DataConfig(), path)]
    assert found == [("a b", None), ("#c", None)]


def test_a_document_without_blank_lines_is_one_record(write, read):
    (record,) = read(write("a.conll", "word B-x\n" * 100_000))
    assert len(record.spans) == len(record.label) == 100_000


def test_the_table_is_streamed(write):
    path = write("a.conll", "a O\n\n" * 3 + "b\n\n" + "c O\n")
    rows = open_table(DataConfig(), path).rows(None)
    assert [next(rows).number for _ in range(3)] == [1, 3, 5]
