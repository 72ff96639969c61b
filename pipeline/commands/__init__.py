"""One file a verb: `add_arguments` says its words, `run` does it and returns the exit code."""
