"""Wrong entities, told in their text."""

import numpy as np

from tf_finetune.sources.records import Record
from tf_finetune.tasks.tags.tags import Tags
from tf_finetune.tasks.tags.word_layout import NO_WORD
from tf_finetune.tasks.wrong_answers import Part

NAMES = ("O", "B-city", "I-city", "B-name", "I-name")
LABELS = Tags(NAMES)
TEXTS = ("Ann saw New York today", "nothing here", "see Rome or Oslo")


def record(text):
    words, place = [], 0
    for word in text.split():
        words.append((place, place + len(word)))
        place += len(word) + 1
    return Record(1, text, None, None, tuple(words))


def outputs(chances, *tags):
    """Rows of tags, written with spaces, as targets and as outputs that give them such chances."""
    rows = [[NAMES.index(tag) for tag in row.split()] for row in tags]
    width = max(map(len, rows))
    targets = np.full((len(rows), width + 1), NO_WORD, np.int32)
    logits = np.zeros((len(rows), width, len(NAMES)))
    for number, (row, chance) in enumerate(zip(rows, chances, strict=True)):
        targets[number, : len(row)] = row
        logits[number, np.arange(len(row)), row] = np.log(chance * 4 / (1 - chance))
    targets[:, -1] = 0
    return targets, logits.reshape(len(rows), -1)


def wrong(targets, logits, most=5, records=None):
    records = records or [record(text) for text in TEXTS]
    return LABELS.wrong_answers(targets, logits, lambda rows: [records[row] for row in rows], most)


def test_the_surest_wrong_entities_come_first_with_their_places():
    gold, _ = outputs([0.5] * 3, "B-name O B-city I-city O", "O O", "O B-city O B-city")
    _, given = outputs([0.6, 0.9, 0.8], "O O O B-city B-name", "O O", "O B-name O B-city")

    found = wrong(gold, given)

    assert [(one.row, round(one.probability, 3)) for one in found] == [(2, 0.8), (0, 0.6)]
    assert (found[0].label, found[0].predicted) == (['city "Rome"'], ['name "Rome"'])
    (rome,) = found[0].parts
    assert (rome.verdict, rome.sentence) == ("wrong_kind", 'city "Rome" found as name "Rome"')
    verdicts = [part.verdict for part in found[1].parts]
    assert verdicts == ["missed", "wrong_border", "invented"]
    missed, border, invented = found[1].parts
    assert (missed.gold, missed.given) == (Part(0, 3, "name", "Ann"), None)
    assert border.gold == Part(8, 16, "city", "New York")
    assert (border.given, border.start, border.end) == (Part(12, 16, "city", "York"), 8, 16)
    assert invented.sentence == 'invented name "today"'
    assert found[1].label == ['name "Ann"', 'city "New York"']
    assert found[1].predicted == ['city "York"', 'name "today"']


def test_right_texts_and_more_than_asked_for_are_left_out():
    gold, _ = outputs([0.5] * 3, "B-name O B-city I-city O", "O O", "O B-city O B-city")
    _, given = outputs([0.6, 0.9, 0.8], "O O O B-city B-name", "O O", "O B-name O B-city")

    assert wrong(gold, right(gold)) == []
    assert [one.row for one in wrong(gold, given, most=1)] == [2]


def right(gold):
    return (np.eye(len(NAMES))[np.maximum(gold[:, :-1], 0)] * 5).reshape(len(gold), -1)


def test_windows_of_a_text_are_one_and_an_entity_may_go_over_their_border():
    gold, _ = outputs([0.5] * 2, "B-name O B-city", "I-city O")
    gold[1, -1] = 1
    _, given = outputs([0.7, 0.9], "B-name O B-city", "O O")

    (found,) = wrong(gold, given, records=[record(TEXTS[0])])

    assert [part.sentence for part in found.parts] == ['city "New York" found as city "New"']
    assert (found.row, round(found.probability, 3)) == (0, 0.7)


def test_an_entity_that_begins_with_an_inner_tag_is_what_predict_shows():
    gold, _ = outputs([0.5], "O O B-city I-city O")
    _, given = outputs([0.7], "O O I-city I-city O")

    assert wrong(gold, given, records=[record(TEXTS[0])]) == []


def test_texts_without_words_are_no_mistakes():
    gold, _ = outputs([0.5, 0.5, 0.5], "", "B-name O", "")
    _, given = outputs([0.5, 0.7, 0.5], "", "O O", "")

    (found,) = wrong(gold, given, records=[record(""), record("Ann came"), record("")])

    assert (found.row, found.parts[0].sentence) == (1, 'missed name "Ann"')
