"""What runs on the batch side: one script a step, and the small library they share. See docs/steps.md."""
