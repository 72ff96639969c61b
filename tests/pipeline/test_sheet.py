"""The sample sheet: what is accepted, and that everything that is not is named with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.sheet import parse_sheet

HOSTILE_BUT_LEGAL = [
    "two words",
    "it's",
    'say "hi"',
    "a;rm -rf ~",
    "$(touch x)",
    "`id`",
    "a&b|c>d",
    "--help",
    "*",
    "100%25",
    "plus+sign",
    "Ünïcødé-试样-🧬",
    "n" * 255,
    "a=b",
    "{sample}",
    "[x]",
    "tilde~",
    "hash#inside",
    "...",
]


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_sheet(text, "samples.txt", ".bam")
    return [str(problem) for problem in caught.value.problems]


def test_blank_lines_comments_bom_crlf_and_the_suffix_are_fine() -> None:
    sheet = parse_sheet("\ufeffa.bam\r\n\r\n# no\r\n  b  \r\n\tc.bam\r\n", "samples.txt", ".bam")
    assert sheet.samples == ["a", "b", "c"]


@pytest.mark.parametrize("name", HOSTILE_BUT_LEGAL)
def test_a_hostile_name_that_is_legal_is_kept_as_it_is(name: str) -> None:
    assert parse_sheet(f"{name}\n", "samples.txt").samples == [name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../up", "path separator"),
        ("..", "path separator"),
        ("a\\b", "path separator"),
        ("bell\x07", "control character"),
        ("nul\x00", "control character"),
        ("n" * 256, "256 bytes"),
        ("ü" * 128, "256 bytes"),
    ],
)
def test_an_illegal_name_is_refused_with_its_line_and_reason(name: str, words: str) -> None:
    [problem] = problems(f"fine\n{name}\n")
    assert words in problem
    assert "line 2" in problem


def test_all_problems_come_in_one_message() -> None:
    found = problems("a\nb/c\na.bam\n\x01\n")
    assert len(found) == 3
    assert "'a' is listed twice, on lines 1 and 3" in found[1]


def test_names_that_differ_only_in_unicode_form_are_the_same_sample() -> None:
    assert "listed twice" in problems("\u00e9\ne\u0301\n")[0]


def test_columns_are_named_by_the_header() -> None:
    sheet = parse_sheet("sample,condition\nx,treated\ny,control\n", "s.csv")
    assert sheet.columns == ("sample", "condition")
    assert sheet.fill("input/{sample}/{condition}.fq", sheet.rows[1]) == "input/y/control.fq"


def test_a_value_that_looks_like_a_column_is_not_replaced_again() -> None:
    sheet = parse_sheet("sample,dose\n{dose},7\n", "s.csv")
    assert sheet.fill("input/{sample}-{dose}-{other}.fq", sheet.rows[0]) == "input/{dose}-7-{other}.fq"


def test_a_row_of_the_wrong_width_is_refused() -> None:
    assert "2 columns where the header has 3" in problems("sample\ta\tb\nx\t1\n")[0]


def test_columns_without_a_header_are_refused() -> None:
    assert "nothing names them" in problems("x\ny,1\n")[0]


@pytest.mark.parametrize("header", ["sample,Dose,dose", "sample,a b,a-b", "sample,sample"])
def test_columns_that_would_be_the_same_variable_are_refused(header: str) -> None:
    assert "are the same" in problems(f"{header}\n{header}\n")[0]


def test_an_empty_list_is_refused() -> None:
    assert "names no sample" in problems("\n# only a comment\n")[0]


def test_the_pinned_form_has_row_i_on_line_i_plus_2() -> None:
    sheet = parse_sheet("sample,dose\nx,1\ny,2\n", "s.csv")
    assert sheet.tsv() == b"sample\tdose\nx\t1\ny\t2\n"


def test_the_digest_depends_on_the_order() -> None:
    assert parse_sheet("a\nb\n", "s").digest() != parse_sheet("b\na\n", "s").digest()


@given(st.text())
def test_any_text_is_either_a_sheet_of_legal_unique_names_or_refused(text: str) -> None:
    try:
        sheet = parse_sheet(text, "s", ".bam")
    except InputError as error:
        assert error.problems
        return
    assert len(set(sheet.samples)) == len(sheet) > 0
    assert all(name and "/" not in name and len(name.encode()) <= 255 for name in sheet.samples)
    assert sheet.tsv().count(b"\n") == len(sheet) + 1
