"""The AWS side of a lab: one CloudFormation stack with queues, machines, roles, images and a bucket."""
