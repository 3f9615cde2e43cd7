"""Trials: what each is asked, how it runs, and the record that survives a kill."""
