"""How long the command takes to say anything: `main.py --help` against a bare Python, in one run.

    python -m benchmarks.start_up

Bar: 150 ms for `main.py --help`.
"""

import statistics
import subprocess
import sys
import time

REPEATS = 15
COMMANDS = {
    "python -c ''": ["-c", ""],
    "main.py --help": ["main.py", "--help"],
    "main.py run --help": ["main.py", "run", "--help"],
}


def time_ms(arguments: list[str]) -> float:
    """Milliseconds from start to end."""
    started = time.monotonic()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return 1000 * (time.monotonic() - started)


def main() -> None:
    """The medians are printed, and each as a ratio to the bare Python."""
    medians = {
        name: statistics.median(time_ms(arguments) for _ in range(REPEATS))
        for name, arguments in COMMANDS.items()
    }
    bare = medians["python -c ''"]
    for name, median in medians.items():
        print(f"{name:<20} {median:6.0f} ms  {median / bare:4.1f} × a bare Python")


if __name__ == "__main__":
    main()
