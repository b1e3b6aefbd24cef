"""Getting labels: which rows to label next, a sheet for several people, how far they agree, and what it costs."""
