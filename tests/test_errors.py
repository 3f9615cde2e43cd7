"""What a person sees of an error."""

import signal

from tf_finetune.errors import RunFailedError, UserError
from tf_finetune.machine.interruption import Interrupted


def test_notebook_shows_the_message_in_place_of_a_traceback():
    error = UserError(["depht: unknown option", "rate: received 'fast'"], hint="see the docs")

    assert error._render_traceback_() == [
        "UserError: problems:\n  - depht: unknown option\n  - rate: received 'fast'\nsee the docs"
    ]
    assert RunFailedError("it ended")._render_traceback_() == ["RunFailedError: it ended"]


def test_notebook_says_that_an_interrupted_call_goes_on():
    assert Interrupted(signal.SIGINT)._render_traceback_() == [
        "interrupted; the same call goes on from what was saved"
    ]
