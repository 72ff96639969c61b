"""STS GetCallerIdentity, which some Batch clients call before anything else. It speaks XML, unlike the others."""

from __future__ import annotations

from urllib.parse import parse_qs

from local_batch.errors import UnavailableError
from local_batch.home import Keys
from local_batch.names import ACCOUNT

ANSWER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/local</Arn><UserId>{user}</UserId>
<Account>{account}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


def answer(body: bytes, keys: Keys, request_id: str) -> bytes:
    """Return who the caller is: the one user there is."""
    action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    if action != "GetCallerIdentity":
        raise UnavailableError(f"STS {action}")
    return ANSWER.format(account=ACCOUNT, user=keys.access_key_id, request_id=request_id).encode()
