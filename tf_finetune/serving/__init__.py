"""A server for one machine: texts in over HTTP, answers out; needs the extra `serve`.

What loads TensorFlow or that extra is loaded at first use, so that wrong flags are told at once.
"""
