"""What the images' entrypoint makes of its environment; the mounts themselves are in test_containers.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from entrypoint.mount import Mount, MountError, options, wanted  # type: ignore[import-not-found]
from entrypoint.participants import (  # type: ignore[import-not-found]
    ParticipantsError,
    sample_of_this_child,
)


@pytest.fixture
def participants(tmp_path: Path) -> Path:
    """A BIDS participants file."""
    file = tmp_path / "participants.tsv"
    file.write_text("participant_id\tage\nsub-01\t30\n\nsub-02\t40\n")
    return file


@pytest.mark.parametrize(("index", "sample"), [("0", "sub-01"), ("1", "sub-02")])
def test_line_i_is_the_sample_of_child_i(participants: Path, index: str, sample: str) -> None:
    assert sample_of_this_child(str(participants), {"AWS_BATCH_JOB_ARRAY_INDEX": index}) == sample


def test_a_job_that_is_no_array_is_the_first_sample(participants: Path) -> None:
    assert sample_of_this_child(str(participants), {}) == "sub-01"


def test_a_list_without_a_header_loses_no_sample(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a b\nc\n")
    assert sample_of_this_child(str(tmp_path / "list"), {}) == "a b"


def test_a_child_without_a_line_says_how_many_there_are(participants: Path) -> None:
    with pytest.raises(ParticipantsError, match="has 2 samples; there is none for array index 2"):
        sample_of_this_child(str(participants), {"AWS_BATCH_JOB_ARRAY_INDEX": "2"})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ParticipantsError, match="/data_in/none cannot be read"):
        sample_of_this_child("/data_in/none", {})


def test_inputs_are_mounted_read_only_and_outputs_are_not() -> None:
    inputs, outputs = wanted({"MOUNT_INPUT": "s3://foreign/study/", "MOUNT_OUTPUT": "s3://ours"})
    assert (inputs.source, inputs.folder) == ("foreign:/study", "/data_in")
    assert (outputs.source, outputs.folder) == ("ours", "/data_out")
    assert "ro" in options(inputs, {})
    assert "ro" not in options(outputs, {})


def test_nothing_is_mounted_unless_asked_for() -> None:
    assert wanted({"MOUNT_INPUT": ""}) == []


def test_a_foreign_buckets_keys_go_to_its_mount_only() -> None:
    environment = {
        "MOUNT_INPUT": "s3://foreign",
        "MOUNT_INPUT_ACCESS_KEY_ID": "key",
        "MOUNT_INPUT_SECRET_ACCESS_KEY": "secret",
        "MOUNT_OUTPUT": "s3://ours",
    }
    inputs, outputs = wanted(environment)
    assert inputs.keys == {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert outputs.keys == {}
    assert "secret" not in repr(inputs)


def test_half_a_key_pair_is_refused() -> None:
    with pytest.raises(MountError, match="together"):
        wanted({"MOUNT_INPUT": "s3://foreign", "MOUNT_INPUT_ACCESS_KEY_ID": "key"})


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(MountError, match="not s3://"):
        wanted({"MOUNT_OUTPUT": "/data"})


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"}, "ecs"),
        ({"AWS_REGION": "eu-west-1"}, "url=https://s3.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, "use_path_request_style"),
    ],
)
def test_the_role_the_region_and_an_endpoint_of_the_labs_own_are_taken(
    environment: dict[str, str], expected: str
) -> None:
    assert expected in options(Mount("b", "/data_in", writable=False), environment)


def test_a_roles_keys_do_not_replace_a_foreign_buckets() -> None:
    mount = Mount("b", "/data_in", writable=False, keys={"AWS_ACCESS_KEY_ID": "key"})
    assert "ecs" not in options(mount, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"})
