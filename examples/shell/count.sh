#!/bin/bash
# count: how often each word occurs.   in  clean/words.txt   out  counts.tsv (count, word)
set -euo pipefail
sort clean/words.txt | uniq -c | sort -k1,1nr -k2 | awk -v OFS='\t' '{ print $1, $2 }' > counts.tsv
