"""What a person sees of an error."""

from tf_finetune.errors import RunFailedError, UserError


def test_notebook_shows_the_message_in_place_of_a_traceback():
    error = UserError(["depht: unknown option", "rate: received 'fast'"], hint="see the docs")

    assert error._render_traceback_() == [
        "UserError: problems:\n  - depht: unknown option\n  - rate: received 'fast'\nsee the docs"
    ]
    assert RunFailedError("it ended")._render_traceback_() == ["RunFailedError: it ended"]
