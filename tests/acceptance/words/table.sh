#!/bin/sh
set -eu
find count -name count.txt -exec cat {} + > all.txt
