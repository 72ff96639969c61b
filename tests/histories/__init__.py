"""Random histories: whatever was edited, killed or done at once, what stands is what a fresh run makes."""
