"""What a machine runs that has jax and numpy alone.

These files are copied to it under their own names, so they import nothing else of this project.
"""
