"""The pages that a person opens after a run or a search, each one offline HTML file."""
