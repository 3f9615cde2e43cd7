"""What a page calls the source of its examples."""

from tf_finetune.reports.page.next_steps import short_name


def test_sources_are_called_by_their_last_word(tmp_path):
    assert short_name(str(tmp_path)) == tmp_path.name
    assert short_name("tfds:imdb") == "tfds:imdb"
    assert short_name("python:tf.data.dataset-6f5fda35046c") == "tf.data.dataset"
