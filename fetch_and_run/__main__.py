"""`python -m fetch_and_run …` and `python /path/to/fetch_and_run/__main__.py …` are the same."""

import sys
from pathlib import Path

sys.path.pop(0)  # this folder when it was started as a file: the names in it are no modules by themselves
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fetch_and_run.supervise import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
