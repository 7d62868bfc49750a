# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What all scripts share: where the project is, how they speak, how a long step is run. Sourced, never run.
# Knows nothing of what is installed or tested: that is script/bootstrap's and script/test's.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # read by the scripts that source this
tools=$root/.tools build=$root/build
me=$(basename "$0")
cd "$root" || exit

if [ -t 2 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi

say() { printf '%s%s:%s %s\n' "$bold" "$me" "$plain" "$*" >&2; }
die() { printf '%s%s:%s %s\n' "$red" "$me" "$plain" "$*" >&2; exit 1; }

# The last header comment of a script is its --help: lines 3 to the first that is no comment.
usage() { sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# version_at_least MINIMUM HAVE
version_at_least() { printf '%s\n%s\n' "$1" "$2" | sort -V -C; }

# step TEXT LOG COMMAND...: runs it with its output in LOG, telling TEXT and the seconds it took. On failure it shows
# the end of the log and returns 1, so that the caller can say in one line what that means.
step() {
    local text=$1 log=$2 start=$SECONDS
    shift 2
    mkdir -p "$(dirname "$log")"
    say "$text ..."
    if "$@" >"$log" 2>&1; then
        if [ $((SECONDS - start)) -gt 2 ]; then say "$text: done in $((SECONDS - start)) s"; fi
        return 0
    fi
    tail -n "${STEP_LINES:-15}" "$log" | cut -c1-300 | sed 's/^/    /' >&2
    return 1
}
