#!/bin/bash
# table: the commonest word of every sample.   in  count/counts.tsv of every sample   out  table.tsv
set -euo pipefail
printf 'sample\tcount\tword\n' > table.tsv
tail -n +2 samples.tsv | while IFS="$(printf '\t')" read -r sample _; do
    printf '%s\t%s\n' "$sample" "$(head -n 1 "count/$sample/counts.tsv")" >> table.tsv
done
