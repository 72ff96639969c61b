"""The endpoint that histories play on."""

from tests.acceptance.conftest import cloud

__all__ = ["cloud"]
