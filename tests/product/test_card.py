"""The dataset card: true figures, metadata that the hub takes, and texts of a corpus that cannot break it."""

from __future__ import annotations

import json
import re
import statistics

import pytest
import yaml
from huggingface_hub import DatasetCard

from humpback.corpus.sites import is_of_site
from humpback.pipeline.takedown import takedown
from humpback.product.card import dataset_card, size_category
from humpback.product.markdown import front_matter, plain, read_front_matter, table
from humpback.product.rows import DatasetRow, dataset_rows, write_dataset
from humpback.records import Candidate, Source
from humpback.workspace import RunFolder, dropped_counts, read_rows

HOSTILE = [
    "x\n---\nlicense: mit\n---\n# Mine",
    "a | b | c |\n| --- |",
    "[click](javascript:alert(1)) ![i](https://evil.example/i.png)",
    "<script>alert(1)</script> <!-- &lt;b&gt; -->",
    "`code` ``` ~~~ **bold** _em_ $$x$$ # head",
    "\u202egnp.exe \x1b[31m\u2028",
    "{{ config }} {% raw %} %s \\ \\|",
    '"; key: [unclosed',
]


def section(card: str, title: str) -> str:
    return card.split(f"\n## {title}\n")[1].split("\n## ")[0]


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if "|" in line]


def own_sources(run, sources: list[Source]) -> None:
    rows = [
        DatasetRow(f"{number}", "Ask", "Answer", [], source, 4.0, [4.0, 4.0], 2)
        for number, source in enumerate(sources)
    ]
    write_dataset(run / "dataset", rows)


def made(run) -> str:
    folder = RunFolder(run)
    return dataset_card(folder, folder.config())


def test_the_hub_s_client_reads_what_the_card_states(product_run):
    card = DatasetCard.load(product_run / "dataset/README.md")
    stated = card.data.to_dict()
    rows = list(dataset_rows(product_run / "dataset"))
    assert stated["license"] == "other"  # two licences
    assert re.fullmatch(r"[a-z0-9-]+", stated["license_name"])
    assert stated["language"] == ["en"]
    assert stated["size_categories"] == ["n<1K"]
    assert stated["task_categories"] == ["text-generation"]
    assert stated["configs"][0]["data_files"] == [{"split": "train", "path": "train.parquet"}]
    assert stated["dataset_info"]["splits"] == [{"name": "train", "num_examples": len(rows)}]
    assert "humpback" in stated["tags"]


def test_one_licence_of_all_rows_is_the_dataset_s(own_run):
    own_sources(own_run, [Source("https://a.example/1", licence=name) for name in ("CC BY 4.0", "CC-BY-4.0")])
    assert read_front_matter(made(own_run))["license"] == "cc-by-4.0"
    own_sources(own_run, [Source("a", licence="CC BY 4.0"), Source("b")])
    card = made(own_run)
    assert read_front_matter(card)["license"] == "other"
    assert "1 because it is not stated" in section(card, "Licences")
    own_sources(own_run, [Source("a", licence="My own"), Source("b", licence="Another")])
    assert read_front_matter(made(own_run))["license"] == "other"


def test_figures_are_those_of_the_rows(product_run):
    card = (product_run / "dataset/README.md").read_text()
    rows = list(dataset_rows(product_run / "dataset"))
    candidates = list(read_rows(product_run / "candidates", Candidate))
    assert f"{len(rows)} of {len(candidates)} candidates ({len(rows) / len(candidates):.1%}) were kept" in card
    lengths = {row[0]: row[1:] for row in cells(section(card, "Statistics"))}
    for name, found in (("all candidates", candidates), ("this dataset", rows)):
        for column, texts in ((1, [one.instruction for one in found]), (2, [one.output for one in found])):
            sizes = [len(text) for text in texts]
            wanted = f"{statistics.fmean(sizes):,.0f} ± {statistics.pstdev(sizes):,.0f}"
            assert lengths[name][column] == wanted
    sites = {row[0]: int(row[1]) for row in cells(section(card, "Sources"))[2:]}
    assert sites == {site: sum(site in row.source.uri for row in rows) for site in ("one.example", "two.example")}
    licences = {row[0]: int(row[1]) for row in cells(section(card, "Licences"))[2:]}
    assert sum(licences.values()) == len(rows)
    assert f"mean rating is {statistics.fmean(row.rating for row in rows):.2f}" in card


def test_every_reason_is_listed_with_its_count(product_run):
    text = section((product_run / "dataset/README.md").read_text(), "What was filtered out")
    found = {row[1].strip("`"): int(row[2]) for row in cells(text) if row[1].startswith("`")}
    wanted = {}
    for step in ("seed", "passages", "segments", "candidates", "curated-2"):
        wanted |= dropped_counts(product_run / step)
    assert found == wanted != {}


def test_the_method_is_the_run_s_own(own_run):
    file = own_run / "humpback.yaml"
    values = yaml.safe_load(file.read_text())
    values["augment"] |= {"temperature": 0.55, "top_p": 0.42}
    values["curate"] |= {"max_share_per_source": 0.25}
    values["ingest"] |= {"min_chars": 321}
    values["engine"] |= {"kind": "transformers"}
    file.write_text(yaml.safe_dump(values))
    text = section(made(own_run), "How it was made")
    assert "temperature 0.55, top-p 0.42" in text
    assert "No source gives more than 25%" in text
    assert "321 to 3,000 characters" in text
    assert "A dry run" not in made(own_run)
    values["ingest"]["decontaminate"] |= {"enabled": False}
    file.write_text(yaml.safe_dump(values))
    assert section(made(own_run), "Overlap with evaluation sets").strip() == "Not looked for."


def test_overlap_is_told_by_set(own_run):
    manifest = json.loads((own_run / "segments/stage.json").read_text())
    manifest["dropped"] |= {"contaminated": 7}
    manifest["facts"] |= {"contamination": {"mmlu|x": ["a", "b"]}}
    (own_run / "segments/stage.json").write_text(json.dumps(manifest))
    text = section(made(own_run), "Overlap with evaluation sets")
    assert "0 seed pairs and 7 segments were dropped" in text
    assert "| mmlu\\|x | 2 |" in text


def test_a_dry_run_says_so_and_no_path_of_the_machine_is_told(product_run, own_run):
    card = (product_run / "dataset/README.md").read_text()
    assert "A dry run" in card
    assert str(product_run.parent.parent) not in card  # where corpus, seed and base model lie
    own_sources(own_run, [Source("/home/somebody/texts/a.md"), Source("/home/somebody/texts/b.md")])
    assert "| …/texts | 2 |" in made(own_run)


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_a_corpus_break_neither_metadata_nor_markdown(own_run, text):
    harmless = Source("https://a.example/1", licence="CC0-1.0")
    own_sources(own_run, [harmless, harmless])
    before = made(own_run)
    own_sources(own_run, [harmless, Source(text, record=text, licence=text)])
    after = made(own_run)
    stated, wanted = read_front_matter(after), read_front_matter(before)
    assert stated | {"license": "cc0-1.0"} == wanted | {"license_name": "as-stated-in-each-row"}
    lines, were = after.splitlines(), before.splitlines()
    titles = [line for line in lines if line.startswith("#")]
    assert titles == [line for line in were if line.startswith("#")]
    for title in ("Sources", "Licences"):
        body = section(after, title)
        assert {len(row) for row in cells(body)} == {2}
        for mark in ("<", "[", "`", "*", "$", "~"):
            assert not re.search(rf"(?<!\\){re.escape(mark)}", body), f"{mark!r} is not escaped in {body!r}"
        assert not re.search("[\u202e\x1b\u2028]", body)


def test_many_sources_are_summed_up(own_run):
    own_sources(own_run, [Source(f"https://s{number}.example/") for number in range(40)])
    rows = cells(section(made(own_run), "Sources"))[2:]
    assert len(rows) == 31
    assert rows[-1] == ["10 more", "10"]


def test_a_takedown_leaves_a_dataset_whose_card_and_files_agree(own_run):
    before = list(dataset_rows(own_run / "dataset"))
    takedown(own_run, "one.example")
    left = list(dataset_rows(own_run / "dataset"))
    assert left == [row for row in before if not is_of_site(row.source.uri, "one.example")] != before
    card = (own_run / "dataset/README.md").read_text()
    assert "one.example" not in card
    assert card == made(own_run)
    assert f"{len(left)} instruction/output pairs" in card
    assert {row[0]: row[1] for row in cells(section(card, "Statistics"))}["this dataset"] == str(len(left))
    manifest = json.loads((own_run / "dataset/stage.json").read_text())
    assert manifest["facts"]["rows"] == len(left)
    takedown(own_run, "two.example")  # nothing is left
    assert list(dataset_rows(own_run / "dataset")) == []
    assert "0 instruction/output pairs" in (own_run / "dataset/README.md").read_text()


def test_a_takedown_of_a_dataset_that_is_not_finished_leaves_none_of_its_files(own_run):
    (own_run / "dataset/train.jsonl").write_text("half a row")
    takedown(own_run, "one.example")
    assert [file.name for file in (own_run / "dataset").iterdir()] == ["stage.json"]


def test_sizes_have_the_hub_s_names():
    sizes = [0, 999, 1_000, 10_000, 999_999, 5_000_000, 10**7, 10**9]
    assert [size_category(rows) for rows in sizes] == [
        "n<1K", "n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "1B<n<10B",
    ]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_front_matter_gives_back_what_went_in(text):
    values = {"license_name": text, "tags": [text, text], "pretty_name": text}
    assert read_front_matter(front_matter(values) + "\n# Body\n---\n") == values
    assert DatasetCard(front_matter(values) + "# Body").data.to_dict()["pretty_name"] == text


@pytest.mark.parametrize("card", ["", "# no metadata", "---\n: [\n---\n", "---\njust text\n---\n", "---\na: 1"])
def test_a_card_without_metadata_states_nothing(card):
    assert read_front_matter(card) == {}


def test_cells_are_one_line_each():
    assert plain("a\nb|c") == "a b\\|c"
    assert table(("n", "v"), [("a|b", 1)]).splitlines()[2] == "| a\\|b | 1 |"
    assert len(plain("x" * 1_000)) == 120
