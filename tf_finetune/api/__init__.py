"""The same in Python: what `tf_finetune` offers to a program or a notebook.

`search`, `fine_tune`, `load` and `plan` do what the commands of these names do, by the same code
and into the same run folders; their answers are objects that show themselves.
"""
