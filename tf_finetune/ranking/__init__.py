"""Which texts to label next: the doubtful ones of a stream, a bounded number of them in memory."""
