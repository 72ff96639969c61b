"""What the client and a child agree upon holds for any pipeline, sample and file."""

import string

from hypothesis import given
from hypothesis import strategies as st

from steps.library.contract import (
    COLUMNS,
    INPUTS,
    MADE,
    PROGRAM,
    Folder,
    Found,
    Input,
    Job,
    Marker,
    MarkerName,
    Upstream,
    chunk_name,
    difference,
    due,
    files_of,
    fill,
    inputs_of_run,
    made,
    on_disk,
    parse_marker,
    program,
)

HEX = "0123456789abcdef"
texts = st.text(max_size=20)
found = st.builds(Found, st.text(HEX, min_size=1, max_size=8), st.integers(0, 2**43))
names = st.text(string.ascii_letters + "/._ é'{}", min_size=1, max_size=12)
files = st.dictionaries(names, found, max_size=4)
columns = st.dictionaries(texts, texts, max_size=3)
steps = st.from_regex(r"[a-z][a-z0-9_-]{0,39}", fullmatch=True)
digests = st.text(HEX, min_size=PROGRAM + COLUMNS + INPUTS, max_size=PROGRAM + COLUMNS + INPUTS)
markers = st.builds(MarkerName, st.none() | steps, digests, st.text(HEX, min_size=MADE, max_size=MADE))
scopes = st.sampled_from(["sample", "run", "reference"])
jobs = st.builds(
    Job,
    run=texts,
    step=steps,
    scope=scopes,
    rows=texts,
    row=st.integers(0, 10**6),
    input=texts,
    reference=texts,
    output=texts,
    after=st.dictionaries(steps, st.builds(Upstream, scopes, texts, texts), max_size=3),
    fingerprint=texts,
    columns=st.lists(texts, max_size=3).map(tuple),
    inputs=st.lists(st.builds(Input, texts, st.booleans()), max_size=3).map(tuple),
    outputs=st.lists(texts, max_size=3).map(tuple),
    vcpus=st.integers(1, 96),
    memory_mib=st.integers(4, 10**6),
    job_id=st.just(""),
    attempt=st.just(1),
)


@given(jobs)
def test_a_job_comes_out_of_its_environment_as_it_went_in(job: Job) -> None:
    assert Job.from_environment(job.to_environment()) == job


def test_the_variables_of_a_job_are_those_that_programs_read() -> None:
    job = Job(
        run="s3://lab/runs/toy-1",
        step="b",
        scope="sample",
        rows="s3://lab/runs/toy-1/rows",
        row=5000,
        input="s3://lab/input",
        reference="s3://lab/reference/hg38",
        output="s3://lab/results/toy/hg38/b",
        after={"a": Upstream("run", "s3://lab/results/toy/hg38/a/1", "f0")},
        fingerprint="f1",
        columns=("größe",),
        inputs=(Input("a/{größe}.txt"), Input("input/é.txt", is_optional=True)),
        outputs=("ü.txt",),
        vcpus=2,
        memory_mib=4096,
    )
    assert job.to_environment() == {
        "PIPELINE_RUN": "s3://lab/runs/toy-1",
        "PIPELINE_STEP": "b",
        "PIPELINE_SCOPE": "sample",
        "PIPELINE_ROWS": "s3://lab/runs/toy-1/rows",
        "PIPELINE_FIRST_ROW": "5000",
        "PIPELINE_INPUT": "s3://lab/input",
        "PIPELINE_REFERENCE": "s3://lab/reference/hg38",
        "PIPELINE_OUTPUT": "s3://lab/results/toy/hg38/b",
        "PIPELINE_AFTER": '{"a": ["run", "s3://lab/results/toy/hg38/a/1", "f0"]}',
        "PIPELINE_FINGERPRINT": "f1",
        "PIPELINE_COLUMNS": '["größe"]',
        "PIPELINE_INPUTS": '["a/{größe}.txt", ["input/é.txt", "optional"]]',
        "PIPELINE_OUTPUTS": '["ü.txt"]',
        "PIPELINE_VCPUS": "2",
        "PIPELINE_MEMORY_MIB": "4096",
    }


@given(jobs, st.integers(0, 9999))
def test_batchs_own_variables_say_which_child_and_which_attempt_it_is(job: Job, index: int) -> None:
    batch = {
        "AWS_BATCH_JOB_ARRAY_INDEX": str(index),
        "AWS_BATCH_JOB_ID": f"a:{index}",
        "AWS_BATCH_JOB_ATTEMPT": "2",
    }
    child = Job.from_environment(job.to_environment() | batch)
    assert (child.row, child.job_id, child.attempt) == (job.row + index, f"a:{index}", 2)


@given(markers)
def test_a_markers_name_can_be_read_again(marker: MarkerName) -> None:
    assert parse_marker(str(marker)) == marker


@given(names)
def test_no_other_file_is_taken_for_a_marker(name: str) -> None:
    assert parse_marker(name) is None
    assert parse_marker(f"_SUCCESS.{name}.json") is None


def test_the_marker_of_an_older_version_is_a_file_like_any_other() -> None:
    assert parse_marker("_SUCCESS.json") is None


def test_the_digests_of_a_fixed_example_never_change() -> None:
    """With other values every result that is stored anywhere would be due again."""
    inputs = {"é.txt": Found("e0", 1), "s1_r1.fq": Found("e1", 10)}
    published = {"b.txt": Found("e1", 10), "a.txt": Found("e0", 1)}
    marker = MarkerName(None, due("f" * 64, {"größe": "1", "dose": "2"}, inputs), made(published))
    assert str(marker) == "_SUCCESS.cf863090129c1933bbbdea7d58f4c7d0bfdf1eec.52090fd4a30cd75b.json"


def test_the_marker_of_a_step_beside_the_reference_says_whose_it_is() -> None:
    marker = MarkerName("index", due("f", {}, {}), made({}))
    assert str(marker) == f"_SUCCESS.index.{marker.due}.{marker.made}.json"


@given(texts, columns, files, files)
def test_two_sets_of_inputs_never_have_the_same_due(
    fingerprint: str, used: dict[str, str], one: dict[str, Found], other: dict[str, Found]
) -> None:
    assert (due(fingerprint, used, one) == due(fingerprint, used, other)) == (one == other)


@given(files, columns, columns)
def test_two_sets_of_columns_never_have_the_same_due(
    inputs: dict[str, Found], one: dict[str, str], other: dict[str, str]
) -> None:
    assert (due("f", one, inputs) == due("f", other, inputs)) == (one == other)


@given(files, files)
def test_two_sets_of_outputs_never_have_the_same_made(one: dict[str, Found], other: dict[str, Found]) -> None:
    assert (made(one) == made(other)) == (one == other)


@given(texts, columns, files)
def test_the_order_in_which_inputs_are_found_does_not_matter(
    fingerprint: str, used: dict[str, str], inputs: dict[str, Found]
) -> None:
    backwards = due(fingerprint, dict(reversed(used.items())), dict(reversed(inputs.items())))
    assert backwards == due(fingerprint, used, inputs)


def test_what_changed_is_told_in_words() -> None:
    old = due("f", {"k": "1"}, {"a": Found("e", 1)})
    changed = [
        due("g", {"k": "2"}, {"a": Found("e", 2)}),
        due("f", {"k": "2"}, {"a": Found("e", 2)}),
        due("f", {"k": "1"}, {"a": Found("e", 2)}),
    ]
    assert [difference(old, new) for new in changed] == [
        "its script, image or parameters changed",
        "its columns in the sheet changed",
        "its inputs changed",
    ]


def folder(there: dict[str, Found], *alive: MarkerName, retired: tuple[MarkerName, ...] = ()) -> Folder:
    listing = [
        *there.items(),
        *((str(one), Found("m", 99)) for one in alive),
        *((str(one), Found("d41d8", 0)) for one in retired),
    ]
    return Folder.of(listing)


def unread(marker: MarkerName) -> Marker:
    raise AssertionError(f"{marker} was read")


def told(content: dict[str, Found]) -> Marker:
    return {"files": {name: found._asdict() for name, found in content.items()}}


@given(files)
def test_a_folder_that_holds_just_what_was_made_stands_without_a_read(there: dict[str, Found]) -> None:
    marker = MarkerName(None, due("f", {}, {}), made(there))
    assert folder(there, marker).published(marker, unread) == there


@given(files, files)
def test_beside_leftovers_the_marker_says_which_files_count(
    own: dict[str, Found], leftovers: dict[str, Found]
) -> None:
    marker = MarkerName(None, due("f", {}, {}), made(own))
    assert folder(leftovers | own, marker).published(marker, lambda _: told(own)) == own


@given(files.filter(len), files)
def test_a_marker_does_not_hold_when_one_of_its_files_is_gone_or_another(
    own: dict[str, Found], leftovers: dict[str, Found]
) -> None:
    marker = MarkerName(None, due("f", {}, {}), made(own))
    lost, *kept = own
    gone = {name: own[name] for name in kept}
    replaced = own | {lost: Found("another", own[lost].size)}
    for there in (gone, replaced):
        left = {name: one for name, one in leftovers.items() if name not in own}
        assert folder(left | there, marker).published(marker, lambda _: told(own)) is None


def test_the_marker_that_is_read_is_the_one_that_is_asked_about() -> None:
    one, other = (MarkerName(None, due(name, {}, {}), made({})) for name in ("f", "g"))
    asked: list[MarkerName] = []

    def read(marker: MarkerName) -> Marker:
        asked.append(marker)
        return told({})

    folder({"leftover": Found("e", 1)}, one, other).published(other, read)
    assert asked == [other]


def test_a_marker_that_names_no_files_vouches_for_none() -> None:
    assert files_of({}) == {}


def test_only_the_markers_of_what_is_due_now_are_due_now() -> None:
    now, before = (due("f", {}, {"a": Found(etag, 1)}) for etag in ("new", "old"))
    markers = [MarkerName(None, now, made({})), MarkerName(None, before, made({}))]
    again = MarkerName(None, now, made({"b": Found("e", 1)}))
    assert folder({}, *markers, again).due_now(now) == [markers[0], again]


def test_a_marker_that_was_retired_since_the_listing_does_not_hold() -> None:
    marker = MarkerName(None, due("f", {}, {}), made({}))
    assert folder({"leftover": Found("e", 1)}, marker).published(marker, lambda _: None) is None


def test_a_marker_of_no_files_holds_beside_leftovers() -> None:
    marker = MarkerName(None, due("f", {}, {}), made({}))
    assert folder({"leftover": Found("e", 1)}, marker).published(marker, lambda _: told({})) == {}


def test_an_empty_marker_is_retired() -> None:
    marker = MarkerName(None, due("f", {}, {}), made({}))
    assert folder({}, retired=(marker,)).markers == ()


def test_beside_a_reference_only_the_steps_own_markers_count() -> None:
    own, other = (MarkerName(step, due("f", {}, {}), made({})) for step in ("index", "cache"))
    listing = [(str(own), Found("m", 9)), (str(other), Found("m", 9)), ("genes.gtf", Found("e", 1))]
    assert Folder.of(listing, "index").markers == (own,)
    assert Folder.of(listing).markers == ()


@given(texts, texts)
def test_a_marker_tells_which_version_of_its_step_left_it(one: str, other: str) -> None:
    marker = MarkerName(None, due(one, {}, {}), made({}))
    assert bool(folder({}, marker).made_by(other)) == (program(one) == program(other)) == (one == other)


def test_a_columns_value_is_filled_in_once_and_never_names_a_file_on_disk() -> None:
    assert fill("input/{r1}", {"r1": "{sample}.fq", "sample": "s1"}) == "input/{sample}.fq"
    assert on_disk("input/{sample}_{r1}.fq") == "input/sample_r1.fq"


def test_what_the_sheet_does_not_name_stays_as_it_is() -> None:
    assert fill("input/{plate}/{sample}.fq", {"sample": "s1"}) == "input/{plate}/s1.fq"


def test_a_chunk_is_named_by_its_number_so_that_a_listing_has_them_in_order() -> None:
    assert [chunk_name(number) for number in (0, 12, 99_999)] == ["00000.tsv", "00012.tsv", "99999.tsv"]


def test_an_input_is_a_name_in_a_room() -> None:
    one = Input("input/{plate}/{sample}_{lane}.fq")
    assert (one.room, one.name, one.columns) == ("input", "{plate}/{sample}_{lane}.fq", ["plate", "lane"])


def test_in_a_step_of_the_whole_run_there_is_one_of_every_sample_where_the_upstream_is_per_sample() -> None:
    after = {"count": Upstream("sample", "", ""), "join": Upstream("run", "", "")}
    paths = ["input/{sample}.txt", "input/plate.txt", "reference/genes.gtf", "count/a", "join/{sample}"]
    told = inputs_of_run([Input(path) for path in paths], after)
    assert [of_every for _, of_every in told] == [True, False, False, True, False]
