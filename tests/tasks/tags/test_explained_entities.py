"""Which entity is explained, by which outputs."""

import numpy as np
import pytest

from tf_finetune.errors import UserError
from tf_finetune.sources.records import Record
from tf_finetune.tasks.tags.explained_entities import chosen_entity, entity_question
from tf_finetune.tasks.tags.tag_set import TagSet
from tf_finetune.tasks.task_rows import TaskRow
from tf_finetune.tasks.wrong_answers import Part

TAGS = TagSet(("O", "B-city", "I-city", "B-name", "I-name"))
ROWS = (TaskRow(0, (), (1, 2, 3), (0, 3), 0, 12), TaskRow(0, (), (1,), (3, 4), 13, 16))
RECORD = Record(7, "see New York now", None, None, ((0, 3), (4, 7), (8, 12), (13, 16)))


def found(*parts):
    return [
        {
            "start": start,
            "end": end,
            "text": RECORD.text[start:end],
            "label": label,
            "probability": chance,
        }
        for start, end, label, chance in parts
    ]


ENTITIES = found((0, 3, "name", 0.5), (4, 12, "city", 0.75), (13, 16, "name", 0.625))


def chosen(logits=None, entities=ENTITIES, kind=None, number=None):
    logits = np.ones((4, 5)) if logits is None else logits
    return chosen_entity(RECORD, logits, entities, TAGS, kind, number)


def test_an_entity_is_asked_about_by_the_tags_that_mark_it():
    asked = entity_question(RECORD, Part(4, 12, "city", "New York"), ROWS, TAGS)

    assert asked == (ROWS[0], (2, 3), (1, 2), 'city "New York"')


def test_a_missed_entity_is_asked_about_by_its_words_being_outside():
    asked = entity_question(RECORD, Part(4, 12, "", "New York"), ROWS, TAGS)

    assert asked == (ROWS[0], (2, 3), (0, 0), 'no entity "New York"')


def test_it_is_asked_in_the_row_of_its_first_word_as_far_as_that_reads_it():
    rows = (TaskRow(0, (), (1,), (0, 1), 0, 3), TaskRow(0, (), (4, -1), (1, 3), 4, 12), ROWS[1])

    asked = entity_question(RECORD, Part(4, 16, "city", "New York now"), rows, TAGS)

    assert asked == (rows[1], (4,), (1,), 'city "New York now"')
    nothing = (TaskRow(0, (), (-1, -1, -1, -1), (0, 4), 0, 16),)
    assert entity_question(RECORD, Part(4, 7, "city", "New"), nothing, TAGS) is None


def test_the_likeliest_or_the_one_that_is_asked_for_is_chosen():
    assert chosen() == (Part(4, 12, "city", "New York"), 0.75)
    assert chosen(kind="name") == (Part(13, 16, "name", "now"), 0.625)
    assert chosen(number=1).part.text == "see"
    assert chosen(kind="name", number=2).part.text == "now"
    with pytest.raises(UserError, match=r"--entity: received 3, .* accepted: 1 to 2"):
        chosen(kind="name", number=3)
    with pytest.raises(UserError, match=r"0 entities were found; accepted: a text with some"):
        chosen(entities=[], number=1)


def test_without_an_entity_the_word_nearest_to_one_is_chosen_if_it_is_read():
    logits = np.full((4, 5), -4.0)
    logits[:, 0] = 4.0
    logits[2, 3], logits[3, 1] = 1.0, 0.0
    logits[1] = 0.0  # the model reads nothing of this word

    assert chosen(logits, []).part == Part(8, 12, "name", "York")
    nearest = chosen(logits, [], kind="city")
    assert (nearest.part.text, round(nearest.probability, 3)) == ("now", 0.018)
    with pytest.raises(UserError, match="row 7: of 'see New York now' the model reads no word"):
        chosen(np.zeros((4, 5)), [])
