"""A pipeline whose results depend on all that a result can depend on: each of its files, by name.

`shout` is Python over each sample and imports a module of its own; it sees a column and a parameter. `count` is a
shell script over what `shout` made, `table` one over all that `count` made.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "my_pipeline.py": """
from pipeline import Pipeline, Step

shout = Step(
    "shout", "shout.py", inputs=["input/{sample}.txt"], outputs=["shout.txt"], columns=["mark"],
    parameters={"TIMES": "2"}, memory_mib=64,
)
count = Step("count", "count.sh", after=[shout], inputs=["shout/shout.txt"], outputs=["count.txt"], memory_mib=64)
table = Step(
    "table", "table.sh", after=[count], per="run", inputs=["count/count.txt"], outputs=["all.txt"], memory_mib=64
)
pipeline = Pipeline("study", [shout, count, table])
""",
    "shout.py": """
import os
from pathlib import Path

from accent import loud

text = Path("input/sample.txt").read_text()
Path("shout.txt").write_text(loud(text) * int(os.environ["TIMES"]) + os.environ["SAMPLE_MARK"])
""",
    "accent.py": "def loud(text: str) -> str:\n    return text.upper()\n",
    "count.sh": "#!/bin/sh\nwc -c < shout/shout.txt > count.txt\n",
    "table.sh": "#!/bin/sh\ncat count/*/count.txt > all.txt\n",
}
SHEET = "sample,mark,note\na,!,first\nb,?,second\n"


def write_study(folder: Path) -> None:
    """The folder holds the pipeline's files."""
    for name, text in FILES.items():
        (folder / name).write_text(text.removeprefix("\n"))
