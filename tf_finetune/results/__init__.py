"""What trials gave and what a search answers: plain records, for whoever shows them."""
