"""The sample of this array child, from a file with a sample a line."""

from collections.abc import Mapping
from pathlib import Path

HEADERS = ("participant_id", "sample")  # BIDS's name for the first column, and ours


class ParticipantsError(Exception):
    """There is no such file, or it has no line for this child."""


def sample_of_this_child(file: str, environment: Mapping[str, str]) -> str:
    """The first column of line i, blank lines and a header left out; i = AWS_BATCH_JOB_ARRAY_INDEX, or 0."""
    index = int(environment.get("AWS_BATCH_JOB_ARRAY_INDEX", "0"))
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise ParticipantsError(f"the participants file {file} cannot be read: {error.strerror}") from error
    samples = [line.split("\t")[0].strip() for line in lines if line.strip()]
    if samples and samples[0] in HEADERS:
        del samples[0]
    if index >= len(samples):
        raise ParticipantsError(f"{file} has {len(samples)} samples; there is none for array index {index}")
    return samples[index]
