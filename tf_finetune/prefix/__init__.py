"""States at the frozen boundary, computed once and read in every epoch and trial."""
