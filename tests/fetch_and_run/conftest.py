"""Fixtures: a bucket on moto's S3 server."""

from tests.fetch_and_run.s3_server import bucket, environment, s3_server

__all__ = ["bucket", "environment", "s3_server"]
