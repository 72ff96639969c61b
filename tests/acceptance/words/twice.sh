#!/bin/sh
set -eu
cat input/*.txt input/*.txt > twice.txt
