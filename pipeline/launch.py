"""Starting a run: pinned in the bucket first, then submitted; or an unfinished run of the same work taken up again."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime

from pipeline.home import remember_run
from pipeline.jobs import Order, make_run
from pipeline.layout import code_key
from pipeline.prepare import Prepared
from pipeline.records import Records
from pipeline.run import Run
from pipeline.submit import Submitter
from pipeline.tasks import SchedulerPage, submit_through_luigi

OPEN_RUNS = "runs/_open"


def pin(prepared: Prepared, queue: str, max_parallel: int | None = None) -> Run:
    """Code, sheet and run are in the bucket, the run last: from here its URI is all that anyone needs."""
    code = prepared.code
    plan, bucket = prepared.plan, prepared.bucket
    now = datetime.now(UTC)
    order = Order(
        run_id=f"{prepared.pipeline.name}-{now:%Y%m%dt%H%M%S}-{secrets.token_hex(2)}",
        queue=queue,
        created_at=now.isoformat(timespec="seconds"),
        site=prepared.site,
        max_parallel=max_parallel,
    )
    run = make_run(prepared.pipeline, plan, layout=prepared.layout, code=code, order=order)
    if not bucket.has(code_key(code.sha256)):
        bucket.write(code_key(code.sha256), code.body)
    bucket.write(run.sheet, plan.sheet.tsv())
    if run.work != run.sheet:
        bucket.write(run.work, plan.work.tsv())
    bucket.write_json(f"{run.prefix}/run.json", run.to_json())
    bucket.write_json(_open_key(prepared, queue), {"run": run.id})
    remember_run(run.id, bucket=run.bucket, queue=queue)
    return run


def unfinished_run(prepared: Prepared, queue: str) -> Run | None:
    """The run of the same code over the same samples that was started and has not been closed yet."""
    found = prepared.bucket.read_json(_open_key(prepared, queue))
    value = found and prepared.bucket.read_json(f"runs/{found['run']}/run.json")
    if not value:
        return None
    run = Run.from_json(value)
    records = Records(run, prepared.bucket, prepared.batch, prepared.cloud)
    return None if records.ledger() or records.is_cancelled() or records.has_ended() else run


def _open_key(prepared: Prepared, queue: str) -> str:
    """Where the latest run of this very work is named."""
    layout = prepared.layout
    work = [
        layout.pipeline,
        layout.reference,
        layout.input_prefix,
        queue,
        prepared.plan.sheet.digest(),
        prepared.code.sha256,
    ]
    return f"{OPEN_RUNS}/{hashlib.sha256(json.dumps(work).encode()).hexdigest()[:16]}.json"


def submit(run: Run, prepared: Prepared, scheduler_host: str | None) -> SchedulerPage:
    """Every step is in the queue, once."""
    if run.max_parallel:
        prepared.batch.create_slots(run.id, run.max_parallel)
    return submit_through_luigi(run, Submitter(run, prepared.batch, prepared.bucket), scheduler_host)
