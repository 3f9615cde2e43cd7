"""Long texts are shown around what is explained."""

from dataclasses import replace

from tf_finetune.evaluation.attributions import Explanation, Piece, Word
from tf_finetune.reports.page.coloured_words import around, coloured_texts


def explanation(text):
    words, place = [], 0
    for word in text.split():
        piece = Piece(word, 1.0)
        words.append(Word(word, place, place + len(word), 1.0, (piece,)))
        place += len(word) + 1
    return Explanation("a", 1.0, 0.0, 0.0, 8, True, tuple(words))


def test_a_part_of_a_long_text_begins_and_ends_with_whole_words():
    text = " ".join(f"word{number:04}" for number in range(500))
    place = text.index("word0250")

    why, part = around(explanation(text), text, place, 100)

    assert len(part) == 100 and part.startswith("word0") and "word0250" in part
    assert [part[word.start : word.end] for word in why.words] == [w.text for w in why.words]
    shown = "".join(one.text for one in coloured_texts(why, [part], 100)[0])
    assert shown.startswith("word0244 word0245") and len(why.words) == 11


def test_what_is_explained_is_told_from_the_rest_of_the_text():
    why = replace(explanation("see New York now"), asked=(4, 12))

    (shown,) = coloured_texts(why, ["see New York now"])

    assert [one.text for one in shown if one.asked] == ["New", " ", "York"]
    long = f"{'far ' * 100}see New York now"
    place = long.index("New")
    part, text = around(replace(explanation(long), asked=(place, place + 8)), long, place, 60)
    assert text[slice(*part.asked)] == "New York"
    assert not any(one.asked for one in coloured_texts(explanation("a b"), ["a b"])[0])


def test_a_short_text_is_shown_whole():
    why = explanation("a few words")

    assert around(why, "a few words", 6, 100) == (why, "a few words")


def test_of_a_long_second_text_what_is_beside_its_asked_part_is_shown():
    long = "so " * 30 + "asked yes"
    place = long.index("asked")
    why = explanation("who?")
    words = explanation(long).words
    why = replace(why, pair_words=words, asked=(place, place + 5), asked_of_pair=True)

    part, text = around(why, long, place, 40)
    first, second = coloured_texts(part, ["who?", text])

    assert "asked" in text and len(text) <= 40
    assert [one.text for one in second if one.asked] == ["asked"]
    assert part.words == why.words and not any(one.asked for one in first)
