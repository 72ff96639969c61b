"""The table of operations and the shape of their requests, read from botocore's own service models."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.validate
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local_batch.errors import ClientError

ServiceModel = botocore.model.ServiceModel
TAGS_PATH = "/v1/tags/"
LOGS_TARGET = "Logs_20140328."


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of `batch` or `logs`."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def batch_routes() -> dict[tuple[str, str], str]:
    """Return the operation of every (method, path); the paths of tags end before the ARN."""
    model = service_model("batch")
    operations = (model.operation_model(name) for name in model.operation_names)
    return {
        (operation.http["method"], operation.http["requestUri"].partition("{")[0]): operation.name
        for operation in operations
    }


def batch_operation(method: str, path: str) -> str | None:
    """Return the operation that a request line names."""
    return batch_routes().get((method, TAGS_PATH if path.startswith(TAGS_PATH) else path))


def uri_members(operation: str, path: str, query: str) -> dict[str, Any]:
    """Return the members that travel in the URI: a tagged resource's ARN and the keys to remove."""
    if not path.startswith(TAGS_PATH):
        return {}
    members: dict[str, Any] = {"resourceArn": unquote(path.removeprefix(TAGS_PATH))}
    if operation == "UntagResource":
        members["tagKeys"] = parse_qs(query).get("tagKeys", [])
    return members


def check(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Pass when the parameters have the shape that the model gives the operation."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    report = botocore.validate.ParamValidator().validate(parameters, shape)
    problems = report.generate_report() if report.has_errors() else "; ".join(_beyond(parameters, shape, ""))
    if problems:
        raise ClientError(problems.replace("\n", "; "))


def _beyond(value: Any, shape: Shape, path: str) -> list[str]:
    """Return what botocore's validator leaves to the server: enumerations and maxima."""
    problems: list[str] = []
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            if member is not None:
                problems += _beyond(member, shape.members[name], f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for number, member in enumerate(value):
            problems += _beyond(member, shape.member, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        for name, member in value.items():
            problems += _beyond(name, shape.key, f"{path}.{name}") + _beyond(
                member, shape.value, f"{path}.{name}"
            )
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        problems.append(f"{path.lstrip('.')} should be one of {', '.join(shape.enum)}, not {value!r}")
    most = shape.metadata.get("max")
    size = len(value) if hasattr(value, "__len__") else value
    if most is not None and size > most:
        problems.append(f"{path.lstrip('.')} is {size}, the most is {most}")
    return problems
