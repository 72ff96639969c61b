"""CloudWatch Logs: what readers of job logs call."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from local_batch.errors import BadLogRequestError
from local_batch.host import Host
from local_batch.logs import Event
from local_batch.names import ACCOUNT
from local_batch.paging import page
from local_batch.shelf import Document

PAGE = 10_000
PAGE_BYTES = 1 << 20


def get_log_events(host: Host, region: str, request: Document) -> Document:
    """Return a page of one stream: the last one, unless a token or startFromHead says otherwise.

    At either end the token returned is the one that came in, as AWS does.
    """
    events = _between(host.logs.events(_group(request), request["logStreamName"]), request)
    most = min(request.get("limit", PAGE), PAGE)
    start, end = _window(request, events, most)
    shown = events[start:end]
    return {
        "events": [_shown(event) for event in shown],
        "nextForwardToken": f"f/{_offset(events, end)}",
        "nextBackwardToken": f"b/{_offset(events, start)}",
    }


def filter_log_events(host: Host, region: str, request: Document) -> Document:
    """Return a page of events of many streams, oldest first."""
    group = _group(request)
    names = request.get("logStreamNames") or host.logs.streams(group, request.get("logStreamNamePrefix", ""))
    test = _pattern(request.get("filterPattern", ""))
    found = [
        event
        for name in names
        for event in _between(host.logs.events(group, name), request)
        if test(event.message)
    ]
    found.sort(key=lambda event: (event.timestamp, event.stream, event.offset))
    events, token = page(found, request, most=PAGE)
    shown = [
        {
            **_shown(each),
            "logStreamName": each.stream,
            "eventId": f"{each.timestamp}:{each.stream}:{each.offset}",
        }
        for each in events
    ]
    answer = {"events": shown, "searchedLogStreams": []}
    return {**answer, "nextToken": token} if token else answer


def describe_log_streams(host: Host, region: str, request: Document) -> Document:
    """Return a group's streams by name, or by the time of their last event."""
    group = _group(request)
    streams = host.logs.streams(group, request.get("logStreamNamePrefix", ""))
    spans = {name: host.logs.span(group, name) for name in streams}
    if request.get("orderBy") == "LastEventTime":
        if request.get("logStreamNamePrefix"):
            raise BadLogRequestError("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams.sort(key=lambda name: spans[name][1])
    if request.get("descending"):
        streams.reverse()
    names, token = page(streams, request, most=50)
    arn = f"{_group_arn(region, group)}:log-stream:"
    shown = [_stream(name, f"{arn}{name}", spans[name]) for name in names]
    return {"logStreams": shown, "nextToken": token} if token else {"logStreams": shown}


def describe_log_groups(host: Host, region: str, request: Document) -> Document:
    """Return the log groups."""
    prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    groups = [name for name in host.logs.groups() if name.startswith(prefix) and part in name]
    names, token = page(groups, request, most=50)
    shown = [
        {
            "logGroupName": name,
            "arn": f"{_group_arn(region, name)}:*",
            "logGroupArn": _group_arn(region, name),
        }
        for name in names
    ]
    return {"logGroups": shown, "nextToken": token} if token else {"logGroups": shown}


def _group(request: Document) -> str:
    """Return the log group's name from its name or its ARN."""
    stated = request.get("logGroupName") or request.get("logGroupIdentifier")
    if not stated:
        raise BadLogRequestError("One of logGroupName and logGroupIdentifier must be given")
    return (
        str(stated).partition(":log-group:")[2].removesuffix(":*")
        if stated.startswith("arn:")
        else str(stated)
    )


def _between(events: Iterable[Event], request: Document) -> list[Event]:
    start, end = request.get("startTime", 0), request.get("endTime")
    return [event for event in events if event.timestamp >= start and (end is None or event.timestamp < end)]


def _window(request: Document, events: list[Event], most: int) -> tuple[int, int]:
    token = request.get("nextToken")
    if token is None:
        start = 0 if request.get("startFromHead") else max(0, len(events) - most)
        return start, min(start + most, len(events))
    direction, _, place = token.partition("/")
    if direction not in ("f", "b") or not place.isdecimal():
        raise BadLogRequestError("The specified nextToken is invalid.")
    position = sum(1 for _ in islice((event for event in events if event.offset < int(place)), None))
    if direction == "f":
        return position, min(position + most, len(events))
    return max(0, position - most), position


def _offset(events: list[Event], index: int) -> int:
    """Return where in the file the event of this index begins, or where the last one ends, near enough."""
    if index < len(events):
        return events[index].offset
    return events[-1].offset + 1 if events else 0


def _shown(event: Event) -> Document:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}


def _stream(name: str, arn: str, span: tuple[int, int, int]) -> Document:
    first, last, size = span
    times = (
        {"firstEventTimestamp": first, "lastEventTimestamp": last, "lastIngestionTime": last} if size else {}
    )
    return {"logStreamName": name, "creationTime": first, "arn": arn, "storedBytes": 0, **times}


def _group_arn(region: str, group: str) -> str:
    return f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}"


class _Words:
    """A filter pattern of words: all must be there, `?word` any of them, `-word` none."""

    def __init__(self, pattern: str) -> None:
        words = [
            (sign, quoted or plain)
            for sign, quoted, plain in re.findall(r'([?-]?)(?:"([^"]*)"|(\S+))', pattern)
        ]
        self.all = [word for sign, word in words if not sign]
        self.any = [word for sign, word in words if sign == "?"]
        self.none = [word for sign, word in words if sign == "-"]

    def __call__(self, message: str) -> bool:
        return (
            all(word in message for word in self.all)
            and (not self.any or any(word in message for word in self.any))
            and not any(word in message for word in self.none)
        )


def _pattern(pattern: str) -> _Words:
    if pattern.startswith(("{", "[")):
        raise BadLogRequestError("Only filter patterns of words are available on the local endpoint")
    return _Words(pattern)
