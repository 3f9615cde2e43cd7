"""Schemes of tags: told apart by a whole source, brought into IOB2, wrong tags named."""

import pytest

from tf_finetune.sources.tag_schemes import IOB1, IOB2, SchemeEvidence, is_tag, to_iob2


def converted(*texts):
    """Name of the scheme, tags of each text, and its faults as (word, message)."""
    evidence = SchemeEvidence()
    for tags in texts:
        evidence.add(tags.split())
    scheme = evidence.scheme()
    found = [to_iob2(tags.split(), scheme) for tags in texts]
    return scheme.name, [" ".join(one.tags) for one in found], [one.faults for one in found]


@pytest.mark.parametrize(
    ("name", "tags", "iob2"),
    [
        ("IOB2", "B-A I-A O B-A B-A", "B-A I-A O B-A B-A"),
        ("IOB2", "O O", "O O"),
        ("IOB1", "I-A I-A O I-A B-A I-A I-B", "B-A I-A O B-A B-A I-A B-B"),
        ("IOBES", "B-A I-A E-A O S-A B-B E-B", "B-A I-A I-A O B-A B-B I-B"),
        ("BILOU", "B-A I-A L-A O U-A B-B L-B", "B-A I-A I-A O B-A B-B I-B"),
        ("BMES", "B-A M-A E-A S-A S-A", "B-A I-A I-A B-A B-A"),
        ("IOB2", "B-creative-work I-creative-work", "B-creative-work I-creative-work"),
    ],
)
def test_each_scheme_is_recognised_and_converted(name, tags, iob2):
    assert converted(tags) == (name, [iob2], [[]])


def test_all_texts_of_a_source_decide():
    # By itself the second text could be IOB1, and the first only IOB2 with two wrong tags.
    name, tags, faults = converted("I-A O I-B", "I-A B-A", "O O")
    assert (name, tags, faults) == ("IOB1", ["B-A O B-B", "B-A B-A", "O O"], [[], [], []])


def test_a_tag_that_continues_nothing_is_a_fault_where_entities_begin_with_b():
    name, tags, faults = converted("B-A O I-A", "B-A I-B O", "B-B O B-B")
    assert name == "IOB2"
    assert [(fault.word, fault.fault) for fault in faults[0] + faults[1]] == [
        (
            2,
            "continues nothing, as no A goes on from the word before; accepted: 'B-A' (IOB2)",
        ),
        (
            1,
            "continues nothing, as no B goes on from the word before; accepted: 'B-B' (IOB2)",
        ),
    ]


def test_behind_the_end_of_an_entity_nothing_goes_on():
    (fault,) = converted("B-A E-A I-A E-A".replace("I-A E-A", "E-A"))[2][0]
    assert fault.word == 2 and "accepted: 'B-A' or 'S-A' (IOBES)" in fault.fault


def test_a_begin_that_follows_nothing_is_a_fault_in_iob1():
    name, _, faults = converted("I-A O I-A O B-A")
    assert name == "IOB1" and faults[0][0].word == 4
    assert "follows no entity of its kind, where IOB1" in faults[0][0].fault


def test_letters_of_another_scheme_are_faults():
    name, _, faults = converted("B-A I-A E-A S-A U-A")
    assert name == "IOBES"
    assert [(fault.word, fault.fault[:18]) for fault in faults[0]] == [(4, "is no tag of IOBES")]


@pytest.mark.parametrize("tag", ["PER", "B", "B-", "B- ", "b-PER", "-", "", "o", 3, None])
def test_what_names_no_kind_is_a_fault(tag):
    assert not is_tag(tag)
    found = to_iob2([tag, "O"], IOB2)
    assert found.tags == ("O", "O")
    assert found.faults[0].fault.startswith("names no kind; accepted: O, or a letter")


def test_entities_without_their_last_tag_are_counted():
    evidence = SchemeEvidence()
    evidence.add(["S-A", "E-A"])
    scheme = evidence.scheme()
    assert to_iob2(["B-A", "O", "B-A", "E-A", "B-A", "B-A"], scheme).unended == 3
    assert to_iob2(["B-A", "O"], IOB1).unended == 0
