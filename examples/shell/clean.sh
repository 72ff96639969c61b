#!/bin/bash
# clean: lower-case words, one a line.   in  input/{sample}.txt   out  words.txt
set -euo pipefail
tr -cs '[:alpha:]' '\n' < input/sample.txt | tr '[:upper:]' '[:lower:]' | grep . > words.txt
