"""Which function answers which operation. What is not here is answered with a clear 400."""

from __future__ import annotations

from collections.abc import Callable

from local_batch import (
    compute_environments,
    consumable_resources,
    definitions,
    jobs_api,
    listing,
    logs_api,
    policies,
    queues,
    snapshot,
    tags,
)
from local_batch.host import Host
from local_batch.shelf import Document

Operation = Callable[[Host, str, Document], Document]

BATCH: dict[str, Operation] = {
    "SubmitJob": jobs_api.submit,
    "DescribeJobs": jobs_api.describe,
    "ListJobs": listing.list_jobs,
    "CancelJob": jobs_api.cancel,
    "CancelJobs": jobs_api.cancel_all,
    "TerminateJob": jobs_api.terminate,
    "TerminateJobs": jobs_api.terminate_all,
    "RegisterJobDefinition": definitions.register,
    "DeregisterJobDefinition": definitions.deregister,
    "DescribeJobDefinitions": definitions.describe,
    "CreateJobQueue": queues.create,
    "UpdateJobQueue": queues.update,
    "DeleteJobQueue": queues.delete,
    "DescribeJobQueues": queues.describe,
    "CreateComputeEnvironment": compute_environments.create,
    "UpdateComputeEnvironment": compute_environments.update,
    "DeleteComputeEnvironment": compute_environments.delete,
    "DescribeComputeEnvironments": compute_environments.describe,
    "CreateSchedulingPolicy": policies.create,
    "UpdateSchedulingPolicy": policies.update,
    "DeleteSchedulingPolicy": policies.delete,
    "DescribeSchedulingPolicies": policies.describe,
    "ListSchedulingPolicies": policies.list_all,
    "CreateConsumableResource": consumable_resources.create,
    "UpdateConsumableResource": consumable_resources.update,
    "DeleteConsumableResource": consumable_resources.delete,
    "DescribeConsumableResource": consumable_resources.describe,
    "ListConsumableResources": consumable_resources.list_all,
    "ListJobsByConsumableResource": consumable_resources.list_jobs,
    "GetJobQueueSnapshot": snapshot.snapshot,
    "TagResource": tags.tag,
    "UntagResource": tags.untag,
    "ListTagsForResource": tags.show,
}

LOGS: dict[str, Operation] = {
    "GetLogEvents": logs_api.get_log_events,
    "FilterLogEvents": logs_api.filter_log_events,
    "DescribeLogStreams": logs_api.describe_log_streams,
    "DescribeLogGroups": logs_api.describe_log_groups,
}
