"""Who may reach the server."""

import pytest

from tf_finetune.errors import UserError
from tf_finetune.serving.access import check_binding, read_token


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_alone_needs_no_token(host):
    check_binding(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_other_machines_need_one(host):
    with pytest.raises(UserError, match="there is no token"):
        check_binding(host, None)
    check_binding(host, "token")


def test_token_of_file_or_environment(tmp_path):
    file = tmp_path / "token"
    file.write_text("sixteen-letters!\n")

    assert read_token(str(file), {"TF_FINETUNE_TOKEN": "another"}) == "sixteen-letters!"
    assert read_token(None, {"TF_FINETUNE_TOKEN": "sixteen-letters?"}) == "sixteen-letters?"
    assert read_token(None, {}) is None


@pytest.mark.parametrize("token", ["", "short", "with spaces in the middle", "ä" * 20])
def test_token_that_is_weak_or_cannot_be_sent(tmp_path, token):
    file = tmp_path / "token"
    file.write_text(token, encoding="utf-8")
    with pytest.raises(UserError, match="--token-file: .*token"):
        read_token(str(file), {})
    with pytest.raises(UserError, match="cannot be read"):
        read_token(str(tmp_path / "none"), {})
