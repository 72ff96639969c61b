"""AWS Batch and CloudWatch Logs on this machine, over HTTP, for unmodified AWS clients.

wire → services → engine → runners: a request is checked against botocore's own model (`wire`), a service function
answers it (`jobs_api`, `definitions`, `queues`, …), the engine decides what each job becomes (`engine`, no I/O), and a
runner starts what it admits (`process`, `container`). `host` holds them together. `endpoint` is the door for callers.
"""
