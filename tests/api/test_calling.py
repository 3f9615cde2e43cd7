"""What a call from Python leaves out of TensorFlow's messages."""

import logging

from tf_finetune.api.calling import called

RETRACING = "5 out of the last 5 calls to step triggered tf.function retracing. Tracing is ..."


def test_traces_of_one_model_after_another_are_not_warned_of(caplog):
    logger = logging.getLogger("tensorflow")
    logger.propagate, before = True, logger.propagate
    try:
        with called(progress=False):
            logger.warning(RETRACING)
            logger.warning("the disk is slow")
        logger.warning(RETRACING)
    finally:
        logger.propagate = before

    assert caplog.messages == ["the disk is slow", RETRACING]
