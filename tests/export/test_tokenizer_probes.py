"""Probe texts reach every page of Unicode and are the same for the same seed."""

from tf_finetune.export.tokenizer_probes import probe_texts


def test_every_page_has_its_turn():
    texts = [text.decode("utf-8", errors="replace") for text in probe_texts(17_400, 0)]
    pages = {ord(character) // 256 for text in texts for character in text}

    # Of the pages of surrogates there are no characters.
    assert pages == set(range(0x1100)) - set(range(0xD8, 0xE0))


def test_seed_decides_the_texts():
    assert list(probe_texts(50, 7, ["a"])) == list(probe_texts(50, 7, ["a"]))
    assert list(probe_texts(50, 7, ["a"])) != list(probe_texts(50, 8, ["a"]))


def test_some_texts_are_not_valid_and_some_are_of_the_vocabulary():
    texts = list(probe_texts(400, 0, ["##xyzzy"]))

    assert any("\ufffd" in t.decode("utf-8", errors="replace") for t in texts)
    assert any(b"xyzzy" in text for text in texts) and any(b"XYZZY" in text for text in texts)
