#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows a real OPA, a real bundle and three clients: a policy changes and the right flags of the right people flip, at once; OPA goes
# away and comes back. Takes some ten seconds, uses free ports of this machine only, leaves nothing behind.
#
#   examples/optoggles/run.sh           FLAGSTAFF_BIN and OPA_BIN name other programs than those of this checkout
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
flagstaff=${FLAGSTAFF_BIN:-$top/build/flagstaff}
opa=${OPA_BIN:-$(command -v opa || echo "$top/.tools/bin/opa")}
home=$(mktemp -d)
children=() clients=()

die() {
    echo "run.sh: $*" >&2
    exit 1
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    local status=$?
    trap - EXIT INT TERM
    if [ $status -ne 0 ]; then tail -n 20 "$home"/*.log >&2 || true; fi
    # The clients first: they need not tell of the end of the others.
    if [ ${#clients[@]} -gt 0 ]; then kill "${clients[@]}" 2>/dev/null || true; fi
    if [ ${#children[@]} -gt 0 ]; then kill "${children[@]}" 2>/dev/null || true; fi
    wait 2>/dev/null || true
    rm -rf "$home"
    exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n%s\n' "$*"; }

# until_true SECONDS WHAT COMMAND...: runs the command again and again until it succeeds.
until_true() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -le $end ] || die "$what: not within the time that it should take"
        sleep 0.05
    done
}

# said NAME PATTERN: the program's output has such a line.
said() { grep -Eq "$2" "$home/$1.log"; }

# shown SUBJECT FLAG PATTERN HOW-OFTEN: the client of that subject has printed such a line so often.
shown() { [ "$(grep -Ec "$1 +$2 .*$3" "$home/watch-$1.log")" -ge "$4" ]; }

free_ports() { python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))'; }

start_opa() {
    (cd "$home" && exec "$opa" run --server --addr "127.0.0.1:$opa_port" --config-file opa.yaml --skip-version-check --log-level error) \
        >>"$home/opa.log" 2>&1 &
    opa_pid=$!
    children+=("$opa_pid")
}

# change FILE OLD NEW: in one step, as an editor saves.
change() {
    python3 - "$home/policy/$1" "$2" "$3" <<'PY'
import os, sys
path, old, new = sys.argv[1:]
text = open(path).read()
assert old in text, old
with open(path + ".new", "w") as out:
    out.write(text.replace(old, new))
os.rename(path + ".new", path)
PY
}

[ -x "$flagstaff" ] || die "there is no $flagstaff: run script/build, or set FLAGSTAFF_BIN"
[ -x "$opa" ] || die "there is no OPA: run script/bootstrap --tests, or set OPA_BIN"
read -r opa_port port <<<"$(free_ports)"
cp -r "$here"/{policy,flags.yaml,opa.yaml} "$home"
touch "$home"/{bundles,flagstaff,opa,watch,watch-ada,watch-bo,watch-cy}.log
sed -e "s/127.0.0.1:8080/127.0.0.1:$port/" -e "s/127.0.0.1:8181/127.0.0.1:$opa_port/" "$here/flagstaff.yaml" >"$home/flagstaff.yaml"

say "== The bundle server, the daemon and OPA start"
python3 "$here/bundle_server.py" "$home/policy" --port 0 >"$home/bundles.log" 2>&1 &
children+=($!)
until_true 30 "the bundle server" said bundles 'port='
bundle_port=$(sed -n 's/.*port=//p' "$home/bundles.log")
"$flagstaff" serve --config "$home/flagstaff.yaml" >"$home/flagstaff.log" 2>&1 &
children+=($!)
until_true 30 "flagstaff" said flagstaff 'listening'
export BUNDLES_URL=http://127.0.0.1:$bundle_port FLAGSTAFF_URL=http://127.0.0.1:$port
start_opa
until_true 30 "OPA's first bundle" said flagstaff 'source: up'
echo "bundles $BUNDLES_URL   OPA http://127.0.0.1:$opa_port   flagstaff $FLAGSTAFF_URL"

say "== Three clients: ada is an editor in the US, bo a viewer in Germany, cy a manager in the US"
for subject in ada bo cy; do
    "$flagstaff" watch --url "$FLAGSTAFF_URL" --color never "$subject" > >(tee "$home/watch-$subject.log") 2>>"$home/watch.log" &
    clients+=($!)
    until_true 30 "the first values of $subject" shown "$subject" new-menu . 1
    until_true 30 "the first values of $subject" shown "$subject" us-feature . 1
done

say "== data.json: bo becomes an editor in Canada. His export and his limit go up; he is not in the US, and nothing of others moves"
change data.json '"bo": { "roles": ["viewer"], "country": "DE" }' '"bo": { "roles": ["editor"], "country": "CA" }'
until_true 30 "bo may export" shown bo invoice-export 'false -> true' 1
until_true 30 "bo has a limit" shown bo approval-limit '0 -> 1000' 1

say "== data.json: ada is suspended. She loses all that OPA decides"
change data.json '"ada": { "roles": ["editor"], "country": "US" }' '"ada": { "roles": ["editor"], "country": "US", "suspended": true }'
until_true 30 "ada may not export" shown ada invoice-export 'true -> false' 1
until_true 30 "ada has no feature" shown ada us-feature 'true -> false' 1
until_true 30 "ada has no limit" shown ada approval-limit '1000 -> 0' 1

say "== rbac.rego: the policy itself changes: the feature is for Canada now"
change rbac.rego 'profile.country == "US"' 'profile.country == "CA"'
until_true 30 "bo has the feature" shown bo us-feature 'false -> true' 1
until_true 30 "cy has no feature" shown cy us-feature 'true -> false' 1

say "== Why? (flagstaff why bo us-feature)"
"$flagstaff" why --url "$FLAGSTAFF_URL" --color never bo us-feature

say "== OPA is stopped. After two probes its values are STALE, and 3 s after it was last known to live they are safe"
{ kill -9 "$opa_pid" && wait "$opa_pid"; } 2>/dev/null || true
until_true 30 "values are stale" shown cy invoice-export STALE 1
until_true 30 "values are safe" shown cy invoice-export 'true -> false +ERROR' 1
until_true 30 "values are safe" shown bo approval-limit '1000 -> 0 +ERROR' 1

say "== OPA starts again and fetches its bundle: the values are back, and nobody has restarted anything else"
start_opa
until_true 30 "values are back" shown cy invoice-export 'false -> true' 1
until_true 30 "values are back" shown bo us-feature 'true .*TARGETING_MATCH' 2
until_true 30 "values are back" shown bo approval-limit '0 -> 1000' 2

say "== The end"
