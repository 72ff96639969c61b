"""What the front doors call, to plan, start or open a run: it takes values, gives values and prints nothing."""
