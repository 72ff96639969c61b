"""A pipeline of your own: three shell scripts, none of which knows of S3 or Batch.

python main.py local upload TEXTS s3://words/input            # a folder of .txt files
ls TEXTS > samples.txt
python main.py --pipeline examples/shell/pipeline.py --queue local --bucket-name words --sample-list-file samples.txt
"""

from pipeline import Pipeline, Step

clean = Step("clean", "clean.sh", inputs=["input/{sample}.txt"], outputs=["words.txt"], memory_mib=256)
count = Step(
    "count", "count.sh", after=[clean], inputs=["clean/words.txt"], outputs=["counts.tsv"], memory_mib=256
)
table = Step(
    "table",
    "table.sh",
    after=[count],
    per="run",
    inputs=["count/counts.tsv"],
    outputs=["table.tsv"],
    memory_mib=256,
)

pipeline = Pipeline("words", [clean, count, table])
