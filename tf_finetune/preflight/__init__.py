"""Compiles the training step with the TPU compiler on a machine without a TPU.

`lowering` makes the step's HLO with TensorFlow; `compiler_process` compiles it in a process, and
an environment, of its own; `answers` keeps what came out; `estimates` turns it into times.
Importing this loads neither TensorFlow nor jax.
"""
