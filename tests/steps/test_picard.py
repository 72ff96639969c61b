"""How Picard is called, wherever it came from."""

from pathlib import Path

import pytest

from steps.picard import SMALL_BAM_BYTES, picard


@pytest.fixture
def jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    jar = tmp_path / "picard.jar"
    jar.touch()
    monkeypatch.setenv("PICARD_JAR", str(jar))
    return jar


@pytest.mark.parametrize(
    ("memory_mib", "heap"), [(300, "128m"), (1024, "768m"), (2048, "1536m"), (16000, "12000m")]
)
def test_the_heap_leaves_room_for_java_itself(jar: Path, memory_mib: int, heap: str) -> None:
    assert picard(memory_mib, 0)[1] == f"-Xmx{heap}"


def test_a_jar_is_run_by_java(jar: Path) -> None:
    assert picard(1024, SMALL_BAM_BYTES) == ["java", "-Xmx768m", "-XX:+UseSerialGC", "-jar", str(jar)]


def test_without_a_jar_it_is_biocondas_picard(jar: Path) -> None:
    jar.unlink()
    assert picard(1024, SMALL_BAM_BYTES) == ["picard", "-Xmx768m", "-XX:+UseSerialGC"]


def test_only_a_small_bam_is_read_without_javas_second_compiler(jar: Path) -> None:
    second_compiler_off = "-XX:TieredStopAtLevel=1"
    assert second_compiler_off in picard(1024, SMALL_BAM_BYTES - 1)
    assert second_compiler_off not in picard(1024, SMALL_BAM_BYTES)
