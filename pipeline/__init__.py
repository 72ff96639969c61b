"""What runs on the user's machine: plan a pipeline over a sample sheet, submit it, follow it, close it."""

from pipeline.model.pipeline import Pipeline, Step, optional

__all__ = ["Pipeline", "Step", "optional"]
