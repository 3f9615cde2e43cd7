"""Standard streams in the encoding that a job needs."""

import io
from typing import TextIO


def as_encoded(stream: TextIO, encoding: str) -> None:
    """Reads or writes a standard stream in an encoding, whatever the machine's own is."""
    from tf_finetune.sources.text_lines import codec_name

    if isinstance(stream, io.TextIOWrapper):
        name = encoding if stream.writable() else codec_name(encoding)
        stream.reconfigure(encoding=name, errors="strict")
