"""Decides how deep to fine-tune a pretrained encoder, and does it."""

from tf_finetune.machine import environment

environment.prepare()
