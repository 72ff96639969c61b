"""The file formats of the fusion pipeline, read and checked."""
