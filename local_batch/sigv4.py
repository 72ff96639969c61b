"""Verifies AWS Signature Version 4.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote

from local_batch.errors import ForbiddenError
from local_batch.home import Keys

SKEW_MS = 15 * 60 * 1000
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/, ]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[a-z0-9;_-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came, path and query still encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Scope:
    """Who signed, for which region and service."""

    region: str
    service: str


def verify(request: Request, keys: Keys, now_ms: int) -> Scope:
    """Return the request's scope when this key signed it, within 15 minutes, over this very body and host."""
    stated = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if stated is None:
        raise ForbiddenError("MissingAuthenticationTokenException", "Missing Authentication Token")
    if not hmac.compare_digest(stated["key"], keys.access_key_id):
        raise ForbiddenError(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    stamp = request.headers.get("x-amz-date", "")
    _check_date(stamp, stated["date"], now_ms)
    _check_headers(stated["headers"].split(";"), request)
    scope = f"{stated['date']}/{stated['region']}/{stated['service']}/aws4_request"
    canonical = _canonical(request, stated["headers"])
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    key = _signing_key(keys.secret_access_key, stated["date"], stated["region"], stated["service"])
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, stated["signature"]):
        raise ForbiddenError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )
    return Scope(stated["region"], stated["service"])


def _check_date(stamp: str, date: str, now_ms: int) -> None:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ForbiddenError("IncompleteSignatureException", "X-Amz-Date is missing or malformed") from None
    if not stamp.startswith(date) or abs(signed_at.timestamp() * 1000 - now_ms) > SKEW_MS:
        raise ForbiddenError("InvalidSignatureException", f"Signature expired or not yet current: {stamp}")


def _check_headers(signed: list[str], request: Request) -> None:
    if "host" not in signed or ("x-amz-date" not in signed):
        raise ForbiddenError("IncompleteSignatureException", "'host' and 'x-amz-date' must be signed headers")
    claimed = request.headers.get("x-amz-content-sha256")
    actual = hashlib.sha256(request.body).hexdigest()
    if claimed is not None and not hmac.compare_digest(claimed, actual):
        raise ForbiddenError("InvalidSignatureException", "The body does not match x-amz-content-sha256")


def _canonical(request: Request, signed: str) -> bytes:
    query = sorted(
        (_quote(name), _quote(value)) for name, value in parse_qsl(request.query, keep_blank_values=True)
    )
    lines = [
        request.method,
        quote(request.path, safe="/~"),  # the path is encoded twice for every service but S3
        "&".join(f"{name}={value}" for name, value in query),
        *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed.split(";")),
        "",
        signed,
        hashlib.sha256(request.body).hexdigest(),
    ]
    return "\n".join(lines).encode()


def _quote(text: str) -> str:
    return quote(text, safe="-_.~")


@lru_cache(maxsize=64)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
