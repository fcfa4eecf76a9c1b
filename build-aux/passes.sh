# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Sourced by tests/run: how a pass is built, run, counted and reported.
# Reads $top, $builds, $results; adds to n_passed, n_failed, n_not_run.  The array
# within, if it is set, is the command that runs a build and its tests elsewhere;
# the array needs, of which suites the tests have to be built: otherwise all.

n_passed=0
n_failed=0
n_not_run=0
within=()
needs=()

heading() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# A pass that should have run and could not.
not_run() {
    printf 'NOT RUN %s (%s)\n' "$1" "$2"
    n_not_run=$((n_not_run + 1))
    # In CI nothing is missing by accident.
    [ "${CI:-}" != true ] || n_failed=$((n_failed + 1))
}

failed() {
    printf 'FAILED %s\n' "$1"
    n_failed=$((n_failed + 1))
}

# configure NAME OPTION...: a build folder of that name; an older one is kept if
# it had the same compiler and options.
configure() {
    local dir=$builds/$1 options="${CC:-} ${CFLAGS:-} $*"
    shift
    if [ "$(cat "$dir/options" 2>/dev/null)" = "$options" ]; then
        "${within[@]}" meson setup --reconfigure "$dir" "$top" >"$dir.log" 2>&1 && return
    fi
    rm -rf "$dir"
    mkdir -p "$builds"
    "${within[@]}" meson setup --wrap-mode=nofallback "$dir" "$top" "$@" >"$dir.log" 2>&1 || return
    printf '%s' "$options" >"$dir/options"
}

# The targets of ninja that the build NAME is for.
targets_of() {
    echo all
    if [ ${#needs[@]} = 0 ]; then
        echo meson-test-prereq
    else
        "${within[@]}" python3 "$top/build-aux/targets.py" "$builds/$1" "${needs[@]}" 2>>"$builds/$1.log"
    fi
}

# build NAME OPTION...
build() {
    local name=$1 targets
    if ! configure "$@" || ! targets=$(targets_of "$name") ||
        ! "${within[@]}" xargs ninja -k 0 -C "$builds/$name" <<<"$targets" >>"$builds/$name.log" 2>&1; then
        tail -n 40 "$builds/$name.log"
        failed "$name: the build"
        return 1
    fi
    # Advice to a user is a duty here.
    if grep -E '^[^ ]+:[0-9]+:[0-9]+: warning:' "$builds/$name.log" | sort -u | grep .; then
        failed "$name: the compiler warns"
    fi
}

# run_suites NAME LABEL SECONDS ARGUMENT...: meson test in the build NAME, with
# a limit for all of it; the environment is the caller's.
run_suites() {
    local name=$1 label=$2 budget=$3 log code=0 passed failed skipped unexpected before=$SECONDS
    shift 3
    log=$builds/$name/meson-logs/testlog-$label.json
    rm -f "$log" "${log%.json}-env.json"
    # setarch: ThreadSanitizer's memory layout needs little randomisation.
    timeout -k 30 "$budget" "${within[@]}" ${setarch:-} meson test -C "$builds/$name" --no-rebuild \
        --logbase "testlog-$label" --quiet --print-errorlogs "$@" </dev/null >"$log.output" 2>&1 ||
        code=$?
    # A wrapper's name becomes part of the log's.
    [ ! -e "${log%.json}-env.json" ] || mv "${log%.json}-env.json" "$log"
    [ "$code" = 0 ] || tail -n 300 "$log.output"
    if [ ! -s "$log" ]; then
        failed "$label: no test was executed"
        return
    fi
    cp "$log" "$results/$label.json"
    read -r passed failed skipped unexpected < <(python3 "$top/build-aux/tally.py" "$log" 2>"$log.failures")
    cat "$log.failures"
    n_passed=$((n_passed + passed))
    n_failed=$((n_failed + failed))
    n_not_run=$((n_not_run + skipped))
    [ "${CI:-}" != true ] || [ "$unexpected" = 0 ] || failed "$label: $unexpected that could not run"
    if [ "$code" = 124 ] || [ "$code" = 137 ]; then
        failed "$label: more than $budget seconds"
    elif [ "$code" != 0 ] && [ "$failed" = 0 ]; then
        failed "$label: exit code $code"
    fi
    printf '%s: %d passed, %d failed, %d skipped, %d s\n' \
        "$label" "$passed" "$failed" "$skipped" $((SECONDS - before))
}

# run_program LABEL SECONDS COMMAND...: something that closes with a line
# "N passed, N failed" of its own.
run_program() {
    local label=$1 budget=$2 log=$results/$1.txt code=0 passed=0 failed=0
    shift 2
    timeout -k 30 "$budget" "$@" </dev/null >"$log" 2>&1 || code=$?
    sed -E 's/^([0-9]+ passed, [0-9]+ failed)$/'"$label"': \1/' "$log"
    read -r passed failed < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" | tail -n 1)
    n_passed=$((n_passed + ${passed:-0}))
    n_failed=$((n_failed + ${failed:-0}))
    if [ "$code" != 0 ] && [ "${failed:-0}" = 0 ]; then
        failed "$label: exit code $code"
    fi
}
