"""Score by number of labels: the ways to train of a search, on growing parts of its examples."""
