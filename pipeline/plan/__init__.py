"""What has to run and why: the batch-side code, what is in the bucket, and what would go wrong."""
