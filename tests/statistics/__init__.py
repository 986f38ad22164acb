"""Whether the statistics of `compare` keep their word, by simulation (`make test-statistics`)."""
