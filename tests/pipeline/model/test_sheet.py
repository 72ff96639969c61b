"""The sample sheet: what is accepted, and that everything that is not is named with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.model.sheet import SampleSheet, parse_sheet, variable
from tests.pipeline.examples import sheet_of

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


def problem_of(text: str, suffix: str = ".bam") -> tuple[str, str, str]:
    """What, where and fix of the one problem."""
    with pytest.raises(InputError) as caught:
        parse_sheet(text, "samples.txt", suffix)
    [problem] = caught.value.problems
    return problem.what, problem.where, problem.fix


NAME_FIX = "rename the sample: its name becomes a folder in the bucket"


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        ("a\n\nb/c\n", "sample 'b/c' has a path separator in its name", "samples.txt, line 3", NAME_FIX),
        (
            "-\n", "a sample is called '-', which stands for steps that run once", "samples.txt, line 1",
            NAME_FIX,
        ),
        (".\n", "sample '.' has a path separator in its name", "samples.txt, line 1", NAME_FIX),
        ("a\u2028b\n", "sample 'a\\u2028b' has a control character in its name", "samples.txt, line 1", NAME_FIX),
        ("a\u2029b\n", "sample 'a\\u2029b' has a control character in its name", "samples.txt, line 1", NAME_FIX),
        ("a\rb\n", "sample 'a\\rb' has a control character in its name", "samples.txt, line 1", NAME_FIX),
        ("n" * 300, f"sample {'n' * 40!r}… is 300 bytes long, over 255", "samples.txt, line 1", NAME_FIX),
        (
            "sample,k\n,1\n", "a sample has no name", "samples.txt, line 2",
            "write its name in the first column",
        ),
        (
            "a\nb.bam\nb\n", "sample 'b' is listed twice, on lines 2 and 3", "samples.txt",
            "delete one of them: both would write the same results",
        ),
        ("# nothing\n", "the sample list names no sample", "samples.txt", "write one sample name a line"),
        ("", "the sample list names no sample", "samples.txt", "write one sample name a line"),
        ("sample\n", "the sample list names no sample", "samples.txt", "write one sample name a line"),
        ("sample,k\n", "the sample list names no sample", "samples.txt", "write one sample name a line"),
        (
            "\ns1,treated\ns2,control\n",
            "the list has columns, and its first line is no header: it begins with 's1'", "samples.txt, line 2",
            "write a header as the first line, such as sample,condition; or, if it is one, "
            "name the first column sample",
        ),
        (
            "patient\tlane\tSample\np\t1\ts\n",
            "the first column is the sample, and the header has 'patient' there and 'Sample' later",
            "samples.txt, line 1", "move the column 'Sample' to the front",
        ),
        (
            "lane,sample_id\n1,s\n",
            "the first column is the sample, and the header has 'lane' there and 'sample_id' later",
            "samples.txt, line 1", "move the column 'sample_id' to the front",
        ),
        (
            "sample;dose\nx;1,5\n", "the header 'sample;dose' separates its columns by semicolons",
            "samples.txt, line 1", "separate them by commas or tabs",
        ),
        (
            '"ID" ;"dose"\nx;1\n', """the header '"ID" ;"dose"' separates its columns by semicolons""",
            "samples.txt, line 1", "separate them by commas or tabs",
        ),
        (
            "a.bam.bam\n", "sample 'a.bam.bam' ends in '.bam' twice", "samples.txt, line 1",
            "rename the sample: '.bam' is taken off, and a list of failed samples would name another one",
        ),
        (
            'sample,k\nx,1\ny,"a\n', "the quotes of the line are not CSV: unexpected end of data",
            "samples.txt, line 3",
            'close each quote on its line, and write one inside a quoted cell twice: "say ""hi"""',
        ),
        (
            'sample,"k\nx,1\n', "the quotes of the line are not CSV: unexpected end of data",
            "samples.txt, line 1",
            'close each quote on its line, and write one inside a quoted cell twice: "say ""hi"""',
        ),
        (
            'sample,k\n"#x",1\n', "sample '#x' begins with #, as a comment does", "samples.txt, line 2", NAME_FIX,
        ),
        (
            'sample,k\nx,"a\tb"\n', "sample 'x' has a control character in a column", "samples.txt, line 2",
            "delete it: it may be a tab among commas",
        ),
        (
            "sample,\nx,1\n", "a column has no name", "samples.txt, the header",
            "give each column a name of its own",
        ),
        (
            "sample,a\x1fb\nx,1\n", "the column 'a\\x1fb' has a control character in its name",
            "samples.txt, the header", "give each column a name of its own",
        ),
        (
            "sample,a b,A-b\nx,1,2\n", "the columns 'a b' and 'A-b' are the same", "samples.txt, the header",
            "give each column a name of its own",
        ),
        (
            "sample,k\nx,b\tc\n", "sample 'x' has a control character in a column", "samples.txt, line 2",
            "delete it: it may be a tab among commas",
        ),
        (
            "x\ny,1\n", "sample 'y' has 2 columns, and nothing names them", "samples.txt, line 2",
            "add a header as the first line, such as: sample,condition",
        ),
        (
            "sample,a,b\nx,1\n", "sample 'x' has 2 columns where the header has 3", "samples.txt, line 2",
            "give it as many columns as the header (sample, a, b)",
        ),
        (
            "sample,a\nx,1,2\n", "sample 'x' has 3 columns where the header has 2", "samples.txt, line 2",
            "give it as many columns as the header (sample, a)",
        ),
    ],
)  # fmt: skip
def test_a_problem_says_what_where_and_the_way_out(text: str, what: str, where: str, fix: str) -> None:
    assert problem_of(text) == (what, where, fix)


def test_a_bad_line_does_not_hide_the_ones_after_it() -> None:
    assert [text.split("\n")[0] for text in problems("a\nb/c\nd\nd\ne\\f\n")] == [
        "sample 'b/c' has a path separator in its name",
        "sample 'd' is listed twice, on lines 3 and 4",
        "sample 'e\\\\f' has a path separator in its name",
    ]


def test_a_line_that_is_only_the_suffix_is_a_sample_of_that_name() -> None:
    assert parse_sheet(".bam\na.bam\n", "s", ".bam").samples == [".bam", "a"]


def test_the_suffix_is_taken_off_once_and_only_at_the_end() -> None:
    assert parse_sheet("a.bam\nb.bam.old\n", "s", ".bam").samples == ["a", "b.bam.old"]
    assert parse_sheet("a.bam.bam\n", "s").samples == ["a.bam.bam"]
    assert parse_sheet("a.bam.bam\nb\n", "s", ".txt").samples == ["a.bam.bam", "b"]


def test_without_a_suffix_names_stay_as_they_are() -> None:
    assert parse_sheet("a.bam\n", "s").samples == ["a.bam"]


def test_the_suffix_is_of_the_name_and_not_of_other_columns() -> None:
    assert parse_sheet("sample,file\na.bam,x.bam\n", "s", ".bam").rows == (("a", "x.bam"),)


@pytest.mark.parametrize("header", ["sample", "Sample_ID", "SAMPLEID", "sample_name"])
def test_a_header_of_one_column_is_no_sample(header: str) -> None:
    assert parse_sheet(f"{header}\nx\n", "s") == sheet_of("x")


@pytest.mark.parametrize(
    "word", ["id", "Name", "participant_id", "Subject", "PATIENT", "donor", "Well", "Sample ID"]
)
def test_the_first_column_is_the_sample_under_every_word_that_stands_for_one(word: str) -> None:
    assert parse_sheet(f"{word},k\nx,1\n", "s") == SampleSheet(("sample", "k"), (("x", "1"),))
    assert parse_sheet(f"{word}\tk\nx\t1\n", "s") == SampleSheet(("sample", "k"), (("x", "1"),))


@pytest.mark.parametrize("name", ["id", "well", "patient"])
def test_a_word_that_may_be_a_name_is_one_in_a_list_without_columns(name: str) -> None:
    assert parse_sheet(f"{name}\nx\n", "s").samples == [name, "x"]


def test_a_name_with_a_semicolon_is_no_header() -> None:
    assert parse_sheet("a;b\nsample;c\n", "s").samples == ["a;b", "sample;c"]


def test_the_cells_of_comma_separated_columns_are_unquoted_as_csv() -> None:
    text = '"sample","my note"\n"x","a, b"\n "y" , "say ""hi"""\nz,5" pipe\n'.replace('"y" ,', '"y",')
    sheet = parse_sheet(text, "s", ".bam")
    assert sheet == SampleSheet(("sample", "my note"), (("x", "a, b"), ("y", 'say "hi"'), ("z", '5" pipe')))


def test_the_suffix_is_taken_off_a_quoted_name() -> None:
    assert parse_sheet('sample,k\n"x.bam",1\n', "s", ".bam").samples == ["x"]


def test_quotes_are_part_of_a_name_without_columns_and_of_cells_between_tabs() -> None:
    assert parse_sheet('"x"\n"y\n', "s").samples == ['"x"', '"y']
    assert parse_sheet('sample\tk\n"x"\t"1\n', "s").rows == (('"x"', '"1'),)


def test_one_quoted_cell_with_a_comma_is_no_list_of_one_column() -> None:
    assert "is no header" in problems('"a,b"\n"c,d"\n')[0]


def test_a_line_whose_quotes_are_wrong_does_not_hide_the_ones_after_it() -> None:
    assert [problem.split("\n")[1] for problem in problems('sample,k\n"x"y,1\nb/c,1\n')] == [
        "  where: samples.txt, line 2",
        "  where: samples.txt, line 3",
    ]


def test_a_list_without_a_header_has_every_line() -> None:
    assert parse_sheet("x\ny\n", "s") == sheet_of("x", "y")


def test_the_first_line_that_says_anything_decides_the_separator() -> None:
    assert parse_sheet("\n# a,b\nsample\tk\nx,y\t1\n", "s").rows == (("x,y", "1"),)
    assert parse_sheet("\tsample,k \nx\t,1\n", "s").rows == (("x", "1"),)


def test_cells_are_stripped_of_blanks_and_tabs_only() -> None:
    sheet = parse_sheet("sample, k \n x ,\ta b\t\n", "s")
    assert sheet == SampleSheet(("sample", "k"), (("x", "a b"),))
    assert parse_sheet("\u00a0x\n", "s").samples == ["\u00a0x"]


def test_an_empty_cell_is_a_value() -> None:
    assert parse_sheet("sample,k\nx,\n", "s").rows == (("x", ""),)


def test_a_byte_order_mark_is_taken_off_the_start_alone() -> None:
    assert parse_sheet("\ufeffa\n\ufeffb\n", "s").samples == ["a", "\ufeffb"]


def test_a_comment_may_be_indented_and_a_hash_inside_a_name_is_none() -> None:
    assert parse_sheet("  # no\na#1\n", "s").samples == ["a#1"]


def test_a_list_without_a_last_newline_has_its_last_line() -> None:
    assert parse_sheet("a\nb", "s").samples == ["a", "b"]


def test_names_are_kept_in_their_own_unicode_form() -> None:
    assert parse_sheet("e\u0301\n", "s").samples == ["e\u0301"]


@pytest.mark.parametrize(
    ("column", "name"), [("dose", "DOSE"), ("library prep", "LIBRARY_PREP"), ("a-1_B", "A_1_B"), ("é", "_")]
)
def test_a_column_becomes_a_variable(column: str, name: str) -> None:
    assert variable(column) == name


def test_values_are_those_of_the_columns_that_are_asked_for() -> None:
    sheet = SampleSheet(("sample", "a", "b"), (("x", "1", "2"),))
    assert sheet.values(sheet.rows[0], ["b", "sample"]) == {"b": "2", "sample": "x"}
    with pytest.raises(ValueError, match="not in tuple"):
        sheet.values(sheet.rows[0], ["c"])


def test_a_row_of_another_width_is_not_filled_in() -> None:
    sheet = SampleSheet(("sample", "k"), (("x", "1"),))
    with pytest.raises(ValueError, match="zip"):
        sheet.fill("{sample}", ("x",))
    with pytest.raises(ValueError, match="zip"):
        sheet.fill("{sample}", ("x", "1", "2"))


def test_a_subset_keeps_the_columns_and_the_sheets_order() -> None:
    sheet = SampleSheet(("sample", "k"), (("x", "1"), ("y", "2"), ("z", "3")))
    assert sheet.subset(["z", "x", "nobody"]) == SampleSheet(sheet.columns, (("x", "1"), ("z", "3")))
    assert sheet.subset(iter(["y", "x"])).samples == ["x", "y"]


def test_a_cohort_is_twelve_digits_of_the_samples_in_their_order() -> None:
    assert sheet_of("a", "b").cohort(()) == "2894a1b3b6d3"
    assert sheet_of("a", "b").cohort(()) != sheet_of("b", "a").cohort(())
    assert sheet_of("a", "b").cohort(()) != sheet_of("a").cohort(())


def test_a_cohort_depends_on_the_columns_that_are_named_and_on_no_others() -> None:
    one = SampleSheet(("sample", "k", "note"), (("x", "1", "old"),))
    other_note = SampleSheet(("sample", "k", "note"), (("x", "1", "new"),))
    other_k = SampleSheet(("sample", "k", "note"), (("x", "2", "old"),))
    assert one.cohort(["k"]) == other_note.cohort(["k"])
    assert one.cohort(["k"]) != other_k.cohort(["k"])
    assert one.cohort([]) == other_k.cohort([])
    assert one.cohort(["k"]) == SampleSheet(("sample", "k"), (("x", "1"),)).cohort(["k"])


def test_a_cohort_depends_on_what_its_columns_are_called() -> None:
    assert SampleSheet(("sample", "k"), (("x", "1"),)).cohort(["k"]) != SampleSheet(
        ("sample", "j"), (("x", "1"),)
    ).cohort(["j"])


def test_the_digest_is_the_cohort_of_all_columns() -> None:
    sheet = SampleSheet(("sample", "k", "j"), (("x", "1", "2"),))
    assert sheet.digest() == sheet.cohort(["k", "j"])


def test_the_pinned_form_can_be_of_some_rows() -> None:
    sheet = sheet_of("a", "b", "c")
    assert sheet.tsv(1) == b"sample\nb\nc\n"
    assert sheet.tsv(1, 2) == b"sample\nb\n"
    assert sheet.tsv(0, 1) == b"sample\na\n"


@given(st.text(st.characters(codec="utf-8")))
def test_any_sheet_comes_out_of_its_pinned_form_as_it_went_in(text: str) -> None:
    try:
        sheet = parse_sheet(text, "s")
    except InputError:
        return
    assert SampleSheet.pinned(sheet.tsv()) == sheet


def test_an_empty_last_cell_outlives_the_pinned_form() -> None:
    sheet = SampleSheet(("sample", "k"), (("x", ""), ("y", "")))
    assert SampleSheet.pinned(sheet.tsv()) == sheet


@pytest.mark.parametrize(
    ("samples", "sizes"),
    [(1, [1]), (999, [999]), (1000, [1000]), (1001, [1000, 1]), (2500, [1000, 1000, 500])],
)
def test_chunks_are_of_a_thousand_rows_each_under_the_header(samples: int, sizes: list[int]) -> None:
    sheet = SampleSheet(("sample", "k"), tuple((f"s{number}", "v") for number in range(samples)))
    chunks = dict(sheet.chunks())
    assert list(chunks) == list(range(len(sizes)))
    pinned = [SampleSheet.pinned(chunk) for chunk in chunks.values()]
    assert [len(chunk) for chunk in pinned] == sizes
    assert all(chunk.columns == ("sample", "k") for chunk in pinned)
    assert [row for chunk in pinned for row in chunk.rows] == list(sheet.rows)
