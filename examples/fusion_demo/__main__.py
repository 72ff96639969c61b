"""The demo: samples with known fusions go through the pipeline on this machine, and the calls are checked.

python -m examples.fusion_demo [--folder .demo] [--samples 8]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from examples.fusion_demo import compare
from examples.fusion_demo.make import make
from main import fusion
from pipeline.cli.local import upload
from pipeline.cloud import local
from pipeline.cloud.bucket import Bucket
from pipeline.cloud.home import recall_runs
from pipeline.cloud.session import Cloud
from pipeline.model.layout import Layout
from pipeline.model.sheet import parse_sheet

BUCKET = "demo"
REFERENCE = "demo"


def main() -> int:
    """The exit code of the pipeline, or 1 when the calls are not what was planted."""
    parser = argparse.ArgumentParser(description="Find planted gene fusions in BAM files, on this machine.")
    parser.add_argument("--folder", type=Path, default=Path(".demo"))
    parser.add_argument("--samples", type=int, default=8)
    told = parser.parse_args()
    bucket = Bucket(Cloud(local.start()), BUCKET)
    _provide_data(told.folder, told.samples, bucket)
    command = ["main.py", "--queue", "local", "--bucket-name", BUCKET]
    command += ["--sample-list-file", str(told.folder / "samples.txt"), "--reference", REFERENCE]
    print("$ python", *command, flush=True)
    exit_code = subprocess.run([sys.executable, *command], check=False).returncode
    if exit_code:
        return exit_code
    all_right = _show_calls(told.folder, bucket)
    run = next(known["run"] for known in reversed(recall_runs()) if known["bucket"] == BUCKET)
    print("\nnext, to try:", *(line.replace("RUN", run) for line in _NEXT), sep="\n  ")
    return 0 if all_right else 1


_NEXT = (
    "source .venv/bin/activate                                 # first, in the checkout: python is then the right one",
    "python main.py list                                       # the runs so far",
    "python main.py logs RUN patient1 picard    # what Picard printed for a sample",
    "python main.py status RUN --json           # every step of every sample",
    "python main.py plan --queue local --bucket-name demo --sample-list-file .demo/samples.txt --reference demo",
    'eval "$(python main.py local env)"                        # then any AWS client: boto3, aws s3 ls s3://demo/',
    "python main.py local stop                                 # stop the servers; the data stay",
)


def _provide_data(folder: Path, samples: int, bucket: Bucket) -> None:
    """The samples and the reference are in the bucket."""
    if not (folder / "truth.tsv").exists():
        print(f"making {samples} samples with one planted fusion each, in {folder}/", flush=True)
        make(folder, samples=samples)
    upload(folder / "input", bucket, "input")
    upload(folder / "reference", bucket, f"reference/{REFERENCE}")


def _show_calls(folder: Path, bucket: Bucket) -> bool:
    """Planted against called, drawn; whether they are the same."""
    sheet = parse_sheet((folder / "samples.txt").read_text(), "samples.txt")
    table = Layout(BUCKET, fusion.name, REFERENCE).output(fusion.step("gather"), sheet.cohort(()))
    called = bucket.read(f"{table}/fusions.tsv")
    assert called is not None, "the gather step succeeded"
    with tempfile.NamedTemporaryFile(suffix=".tsv") as copy:
        copy.write(called)
        copy.flush()
        lines, all_right = compare.compare(folder / "truth.tsv", Path(copy.name))
    print("\n" + compare.draw(lines))
    print(f"\n{bucket.url(table)}/fusions.tsv")
    return all_right


if __name__ == "__main__":
    sys.exit(main())
