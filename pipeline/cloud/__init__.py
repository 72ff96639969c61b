"""The doors: one file each for sessions, Batch, buckets, this machine's endpoint and its memory of runs."""
