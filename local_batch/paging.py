"""Pages of a list and the tokens between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from local_batch.errors import ClientError

Item = TypeVar("Item")


def page(
    items: Sequence[Item], request: dict[str, Any], *, most: int, token_name: str = "nextToken"
) -> tuple[Sequence[Item], str | None]:
    """Return one page and the token of the next; the token says where to go on."""
    start = _position(request[token_name]) if request.get(token_name) else 0
    asked = request.get("maxResults") or request.get("limit") or most
    if asked < 1:
        raise ClientError("maxResults should be at least 1")
    end = start + min(asked, most)
    return items[start:end], _token(end) if end < len(items) else None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(b"at:%d" % position).decode()


def _position(token: str) -> int:
    try:
        head, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if head == "at":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise ClientError("The specified nextToken is invalid")
