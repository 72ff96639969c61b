"""Before a run on AWS: who asks and where is said, and all that would go wrong is told in one message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from pipeline.aws import Cloud
from pipeline.batch import Batch
from pipeline.errors import InputError
from pipeline.identity import describe_caller
from pipeline.model import Pipeline
from pipeline.preflight import check_before_run, check_bucket, missing_inputs, queue_problems
from pipeline.role import role_problems
from pipeline.sheet import SampleSheet
from pipeline.stack import command
from pipeline.stack.deployment import Deployment
from pipeline.storage import Bucket
from tests.pipeline.examples import LAYOUT, toy
from tests.stack.conftest import REGION, aws_as_moto_knows_it, verb

NAME = "batch-pipeline"
ROLE = "arn:aws:iam::123456789012:role/jobs"
STACK = Deployment(
    bucket="other",
    queue=NAME,
    on_demand_queue=f"{NAME}-ondemand",
    job_role_arn=ROLE,
    execution_role_arn=ROLE,
    log_group="",
    repository_uri="",
    architecture="x86_64",
)
SHEET = SampleSheet(("sample",), tuple((f"s{number}",) for number in range(12)))


class Queue:
    """A queue behind the client's door to Batch, as a test wants it."""

    def __init__(self, **changes: str) -> None:
        self.types = ["optimal"]
        self.document = {"state": "ENABLED", "status": "VALID", "computeEnvironmentOrder": [], **changes}

    def queue(self, _name: str) -> Mapping[str, Any]:
        return self.document

    def compute_environments(self, _names: list[str]) -> list[Mapping[str, Any]]:
        return [{"computeResources": {"maxvCpus": 2, "instanceTypes": self.types}}]


class Iam:
    """IAM that denies what a test says; the shapes of questions and answers are botocore's."""

    def __init__(self, *denied: str) -> None:
        self.client: Any = boto3.client("iam", region_name=REGION)
        self._stub = Stubber(self.client)
        self._denied = denied

    def answer(self, action: str, *paths: str) -> None:
        """The next question is of this action on these places in the bucket."""
        arns = [f"arn:aws:s3:::{LAYOUT.bucket}{path}" for path in paths]
        decisions = {arn: "implicitDeny" if arn.endswith(self._denied) else "allowed" for arn in arns}
        each = [{"EvalResourceName": arn, "EvalResourceDecision": found} for arn, found in decisions.items()]
        result = {
            "EvalActionName": action,
            "EvalDecision": max(decisions.values()),
            "ResourceSpecificResults": each,
        }
        asked = {"PolicySourceArn": ANY, "ActionNames": [action], "ResourceArns": arns, "ContextEntries": ANY}
        self._stub.add_response("simulate_principal_policy", {"EvaluationResults": [result]}, asked)
        self._stub.activate()

    def answer_a_run(self) -> None:
        """The next questions are those of a run of the toy pipeline."""
        results, reference = f"/{LAYOUT.results}/*", f"/{LAYOUT.reference_prefix}/*"
        self.answer("s3:ListBucket", "")
        self.answer("s3:GetObject", "/input/*", reference, results, "/code/*.zip", "/runs/*/samples.tsv")
        self.answer("s3:PutObject", results, "/runs/*/failures/*", reference)

    def refuse(self, code: str) -> None:
        self._stub.add_client_error("simulate_principal_policy", code, http_status_code=403)
        self._stub.activate()


class Account(Cloud):
    """An account of moto's, which knows no simulation, with an IAM of the test's own."""

    def __init__(self, iam: Iam) -> None:
        super().__init__(region=REGION)
        self._iam = iam

    def client(self, service: str, *config: Any) -> Any:
        return self._iam.client if service == "iam" else super().client(service, *config)


@pytest.fixture
def account() -> Iterator[None]:
    """An empty account."""
    with aws_as_moto_knows_it():
        yield


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return toy(tmp_path)


def test_a_run_says_account_caller_and_region(account: None) -> None:
    said = describe_caller(Cloud(region=REGION))
    assert "account 123456789012" in said
    assert REGION in said
    assert "as arn:aws:" in said


def test_a_run_on_a_batch_that_is_not_of_aws_says_its_address_and_asks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BATCH", "http://127.0.0.1:9")
    cloud = Cloud(region=REGION)
    assert "http://127.0.0.1:9" in describe_caller(cloud)
    assert not cloud.calls


def test_no_region_is_told_in_three_lines() -> None:
    with pytest.raises(InputError, match=r"no AWS region is set\n  where: .*\n  fix: .*AWS_DEFAULT_REGION"):
        describe_caller(Cloud())


def test_a_bucket_that_is_not_there_says_how_to_make_it(account: None) -> None:
    cloud = Cloud(region=REGION)
    with pytest.raises(InputError, match=r"'lab' does not exist.*\n.*\n  fix: .*aws s3 mb s3://lab"):
        check_bucket(Bucket(cloud, "lab"), cloud)


def test_missing_inputs_are_counted_and_the_first_ten_are_named(pipeline: Pipeline) -> None:
    [problem] = missing_inputs(pipeline, SHEET, LAYOUT, {"input/s0.txt"})
    assert "needs 12 objects like input/{sample}.txt, and 11 are not there" in problem.what
    assert problem.where == "s3://lab/input/: " + ", ".join(f"s{n}.txt" for n in range(1, 11)) + " and 1 more"


@pytest.mark.parametrize("change", [{"state": "DISABLED"}, {"status": "INVALID"}])
def test_a_queue_that_takes_no_jobs_is_a_problem(pipeline: Pipeline, change: dict[str, str]) -> None:
    batch: Any = Queue(**change)
    [problem] = queue_problems(pipeline, "q", batch, Cloud(region=REGION))
    assert "takes no jobs" in problem.what
    assert next(iter(change.values())) in problem.what


def test_a_step_of_more_vcpus_than_the_queue_has_is_a_problem(tmp_path: Path) -> None:
    batch: Any = Queue()
    [problem] = queue_problems(toy(tmp_path, vcpus=3), "q", batch, Cloud(region=REGION))
    assert problem.what == "step 'b' asks for 3 vCPUs, and the queue's machines have 2"


@pytest.mark.parametrize("types", [["c5.large"], ["t3.nano", "c5.large"]])
def test_a_step_of_more_memory_than_the_largest_machine_has_is_a_problem(
    account: None, tmp_path: Path, types: list[str]
) -> None:
    batch: Any = Queue()
    batch.types = types
    [problem] = queue_problems(toy(tmp_path, memory_mib=4097), "q", batch, Cloud(region=REGION))
    assert problem.what == "step 'b' asks for 4097 MiB, and the queue's largest machine has 4096"


def test_a_family_of_machines_is_as_large_as_its_largest(account: None, tmp_path: Path) -> None:
    batch: Any = Queue()
    batch.types = ["c5"]
    assert not list(queue_problems(toy(tmp_path, memory_mib=4097), "q", batch, Cloud(region=REGION)))
    [problem] = queue_problems(toy(tmp_path, memory_mib=10**6), "q", batch, Cloud(region=REGION))
    assert problem.what.endswith("has 196608")


def test_memory_of_machines_that_batch_chooses_is_not_looked_at(account: None, tmp_path: Path) -> None:
    batch: Any = Queue()
    assert not list(queue_problems(toy(tmp_path, memory_mib=10**6), "q", batch, Cloud(region=REGION)))


def test_a_role_that_may_do_all_is_no_problem(pipeline: Pipeline) -> None:
    iam = Iam()
    iam.answer_a_run()
    assert not list(role_problems(iam.client, STACK, pipeline, LAYOUT))


def test_a_role_that_is_denied_is_told_with_action_place_and_fix(pipeline: Pipeline) -> None:
    iam = Iam("/input/*", "/failures/*")
    iam.answer_a_run()
    read, write = role_problems(iam.client, STACK, pipeline, LAYOUT)
    assert read.what == "the jobs' role is denied s3:GetObject on s3://lab/input/*"
    assert write.what == "the jobs' role is denied s3:PutObject on s3://lab/runs/*/failures/*"
    assert read.where == ROLE
    assert "--bucket-name other" in read.fix
    assert f"setup --stack {NAME} --bucket lab --input-prefix input" in read.fix


def test_a_caller_who_may_not_simulate_is_told_nothing(pipeline: Pipeline) -> None:
    iam = Iam()
    iam.refuse("AccessDenied")
    assert not list(role_problems(iam.client, STACK, pipeline, LAYOUT))


def test_all_problems_of_a_run_are_in_one_message(account: None, tmp_path: Path) -> None:
    verb(command.add_setup_arguments, command.run_setup)("--yes", "--max-vcpus", "2")
    batch = boto3.client("batch")
    [queue] = batch.describe_job_queues(jobQueues=[NAME])["jobQueues"]
    batch.tag_resource(
        resourceArn=queue["jobQueueArn"], tags={"stack": NAME}
    )  # moto leaves the template's out
    batch.update_job_queue(jobQueue=NAME, state="DISABLED")
    iam = Iam("/input/*")
    iam.answer_a_run()
    cloud = Account(iam)
    with pytest.raises(InputError) as raised:
        check_before_run(
            toy(tmp_path, vcpus=3), SHEET, layout=LAYOUT, objects=set(), queue=(NAME, Batch(cloud), cloud)
        )
    said = str(raised.value)
    for part in ("12 are not there", "DISABLED", "3 vCPUs", "denied s3:GetObject", "images push"):
        assert part in said
    assert len(raised.value.problems) == 5
