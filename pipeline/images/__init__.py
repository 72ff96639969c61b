"""The container images: built from dockerfiles/, named by their content, pushed to the stack's repository."""
