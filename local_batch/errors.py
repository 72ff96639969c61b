"""What a caller did wrong, in AWS's codes and words, and what stops the endpoint from starting."""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is an error: HTTP status, AWS's code, AWS's text."""

    status = 400
    code = "ClientException"


class ClientError(ApiError):
    """The request cannot be done as it stands."""


class UnavailableError(ClientError):
    """The operation or option exists on AWS and not here."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not available on the local endpoint")


class ThrottledError(ApiError):
    """Too many requests. Source: AWS answers 429, a code that its own model does not list."""

    status = 429
    code = "TooManyRequestsException"


class ForbiddenError(ApiError):
    """The signature, its key, its date or the Host is not ours."""

    status = 403

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ServerError(ApiError):
    """The endpoint itself failed."""

    status = 500
    code = "ServerException"


class NoSuchLogError(ApiError):
    """The log group or log stream does not exist."""

    code = "ResourceNotFoundException"


class BadLogRequestError(ApiError):
    """A Logs parameter is wrong."""

    code = "InvalidParameterException"


class EndpointError(Exception):
    """The endpoint cannot start or stop: what, where, fix."""

    exit_code = 4

    def __init__(self, what: str, *, where: str, fix: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  fix:   {fix}")
        self.parts = {"what": what, "where": where, "fix": fix}
