"""What a scientist writes and what a run is: values only, nothing here reads a file, a clock or a network."""
