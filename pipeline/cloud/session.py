"""The door to AWS: sessions, clients, and what their errors mean to the user.

boto3's own rules hold for profiles, SSO, roles and endpoints. Every call is counted, because each run prints what
it cost in API calls. boto3 takes 0.3 s to import, so it is imported when a cloud is made.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from pipeline.cloud.listing import read_listings_quickly
from pipeline.errors import InputError, PipelineError, Problem, RefusedError, UnreachableError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

ON_THIS_MACHINE = "the endpoint on this machine"

# Members of botocore.config.Config.
PATIENT: Mapping[str, Any] = {"retries": {"mode": "adaptive", "max_attempts": 10}, "connect_timeout": 10}
ONCE: Mapping[str, Any] = {"retries": {"total_max_attempts": 1}, "connect_timeout": 10, "read_timeout": 40}


class Endpoint(Protocol):
    """The embedded endpoint's addresses and keys; `s3_url` is empty when the user brings an S3 of her own."""

    @property
    def batch_url(self) -> str: ...
    @property
    def logs_url(self) -> str: ...
    @property
    def s3_url(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...


class Cloud:
    """Clients of one account and region, or of the endpoint on this machine, all of one session.

    A profile that is named acts as itself, whatever keys the environment holds; without one boto3's own rules hold.
    Threads may share a cloud. Raises: InputError for a profile that there is not.
    """

    def __init__(
        self, endpoint: Endpoint | None = None, *, profile: str | None = None, region: str | None = None
    ) -> None:
        self.is_local = endpoint is not None
        self._endpoint = endpoint
        self._profile = profile
        self._session = _start_session(profile, endpoint.region if endpoint else region)
        self._making = Lock()  # a boto3 session makes one client at a time
        self._counting = Lock()
        self._calls: Counter[str] = Counter()

    def client(
        self, service: str, settings: Mapping[str, Any] = PATIENT, *, region: str | None = None
    ) -> Any:
        """A client of any service, its calls counted; `region` is the session's unless given."""
        from botocore.config import Config

        with self._making:
            client = self._session.client(
                service,  # type: ignore[call-overload]
                config=Config(**settings),
                region_name=region,
                **self._address(service),
            )
        client.meta.events.register(f"before-send.{service}", self._count)
        return client

    def _address(self, service: str) -> dict[str, Any]:
        """Where and as whom a service is asked; boto3's own rules (nothing) outside this machine."""
        if not self._endpoint or (service == "s3" and _has_own_s3()):
            return {}
        urls = {
            "batch": self._endpoint.batch_url,
            "logs": self._endpoint.logs_url,
            "s3": self._endpoint.s3_url,
        }
        return {
            "endpoint_url": urls[service],
            "aws_access_key_id": self._endpoint.access_key_id,
            "aws_secret_access_key": self._endpoint.secret_access_key,
        }

    def _count(self, event_name: str, **_: object) -> None:
        with self._counting:
            self._calls[event_name.rsplit(".", 1)[-1]] += 1

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was asked until now."""
        with self._counting:
            return Counter(self._calls)

    @property
    def region(self) -> str | None:
        return self._session.region_name

    @cached_property
    def batch(self) -> BatchClient:
        client: BatchClient = self.client("batch")
        return client

    @cached_property
    def batch_once(self) -> BatchClient:
        """A client that never sends a request twice, for SubmitJob, which has no idempotency token."""
        client: BatchClient = self.client("batch", ONCE)
        return client

    @cached_property
    def s3(self) -> S3Client:
        client: S3Client = self.client("s3")
        read_listings_quickly(client)
        return client

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        client: CloudWatchLogsClient = self.client("logs")
        return client

    @property
    def where(self) -> str:
        """Who is asked, for messages: this machine, or whose credentials are used in which region."""
        if self.is_local:
            return ON_THIS_MACHINE
        uses_keys = not self._profile and os.environ.get("AWS_ACCESS_KEY_ID")
        who = "the keys in AWS_ACCESS_KEY_ID" if uses_keys else f"profile {self._session.profile_name}"
        return f"{who}, region {self._session.region_name or '(none)'}"


def _start_session(profile: str | None, region: str | None) -> boto3.Session:
    """A session; only a profile given here, and not by AWS_PROFILE, lets botocore ignore keys that are exported.

    Source: botocore.credentials.create_credential_resolver
    """
    import boto3
    import botocore.session

    try:
        return boto3.Session(profile_name=profile or None, region_name=region)
    except ProfileNotFound as error:
        name, where = (
            (profile, "--profile") if profile else (os.environ.get("AWS_PROFILE", ""), "AWS_PROFILE")
        )
        there_are = ", ".join(sorted(botocore.session.Session().available_profiles))
        make = f"make it: aws configure --profile {name}"
        fix = f"name one of those there are: {there_are}" if there_are else make
        raise InputError(Problem(f"there is no profile {name!r}", f"{where} {name}", fix)) from error


def error_code(error: ClientError) -> str:
    """The service's own code for this refusal, such as NoSuchBucket or 404."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def plain_errors(where: str) -> Iterator[None]:
    """Refusals and silences of AWS inside become errors a user can act on."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise as_pipeline_error(error, where) from error


def as_pipeline_error(error: ClientError | BotoCoreError, where: str) -> PipelineError:
    """The user's reading of a boto3 error: what, where, fix, and whether it was refused or not reached."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        what = f"AWS refused {error.operation_name}: {details.get('Message') or error_code(error)}"
        fix = "see that the credentials and the region are the ones you mean (aws sts get-caller-identity)"
        return RefusedError(Problem(what, where, fix))
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        fix = "log in (aws configure, aws sso login), or run on this machine with --queue local"
        return UnreachableError(Problem("there are no AWS credentials", where, fix))
    if isinstance(error, NoRegionError):
        return InputError(no_region(where, otherwise="or run here: --queue local"))
    if where == ON_THIS_MACHINE:
        own = " (AWS_ENDPOINT_URL_S3 names another S3: see that it is right)" if _has_own_s3() else ""
        fix = f"start it again{own}: python main.py local start"
        return UnreachableError(Problem(f"it does not answer: {error}", where, fix))
    fix = "see that the network, the region and AWS_ENDPOINT_URL* are right, then try again"
    return UnreachableError(Problem(f"AWS does not answer: {error}", where, fix))


def no_region(where: str, *, otherwise: str) -> Problem:
    """No region is set; `otherwise` is another way out."""
    fix = f"set one: export AWS_DEFAULT_REGION=eu-west-1, or aws configure ({otherwise})"
    return Problem("no AWS region is set", where, fix)


def _has_own_s3() -> bool:
    """Whether the user brings an S3 of her own."""
    return bool(os.environ.get("AWS_ENDPOINT_URL_S3"))
