"""What runs on the user's machine: plan a pipeline over a sample sheet, submit it, watch it, close it."""

from pipeline.model import Pipeline, Step

__all__ = ["Pipeline", "Step"]
