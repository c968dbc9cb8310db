#!/bin/sh
# Compares the Go benchmarks of the working tree with those of a revision: compare.sh REVISION. The two take turns, COUNT
# times (6), so that a disturbance meets both. PACKAGES (./...) and BENCH (.) narrow it down.
set -eu
cd "$(dirname "$0")/.."
base=${1:?name a revision, for example HEAD~1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/base"
git archive "$base" | tar -x -C "$work/base"

run() { (cd "$1" && go test -run '^$' -bench "${BENCH:-.}" -benchmem ${PACKAGES:-./...}) >>"$2"; }

round=0
while [ $round -lt "${COUNT:-6}" ]; do
	run "$work/base" "$work/base.txt"
	run . "$work/tree.txt"
	round=$((round + 1))
	echo "round $round done" >&2
done
go tool -modfile=tools/go.mod benchstat "$base=$work/base.txt" "tree=$work/tree.txt"
