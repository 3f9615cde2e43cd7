"""Decides how deep to fine-tune a pretrained encoder, and does it."""

from tf_finetune import environment

environment.prepare()
