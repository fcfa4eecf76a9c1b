#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: glib-tsan.sh [--for-valgrind]
#
# Builds GLib with ThreadSanitizer, because a race detector that cannot see
# into GMutex calls correct programs racy and racy ones clean.  Prints two
# lines: the folder of the libraries, and the folder of a libglib whose locks
# are pthread mutexes instead of futexes, to be put before the first one: with
# it lock-order inversions are seen too.  The locks that are a bit of a word,
# below qdata and GWeakRef, take it by atomic built-ins, because what inline
# assembly orders is not seen.
#
# --for-valgrind: a libglib with such locks and without ThreadSanitizer; prints
# the folder it is in.
#
# The result is kept outside of the tree, by version of GLib and compiler, and
# by this script.
# Everything apt needs is private: nothing below /etc or /var/lib changes.
set -euo pipefail

cc=${CC:-gcc}
glib_version=$(dpkg-query -W -f '${source:Version}' libglib2.0-0)
cc_version=$($cc --version | sed -n '1s/[^A-Za-z0-9.]\+/-/gp')
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libasyncexec
kind=tsan
[ "${1:-}" != --for-valgrind ] || kind=valgrind
recipe=$(sha256sum <"${BASH_SOURCE[0]}" | head -c 12)
dir=$cache/glib-$kind-$glib_version-$cc_version-$recipe
mkdir -p "$cache"

exec 9>"$dir.lock"
flock 9

print_folders() {
    [ "$kind" = valgrind ] || printf '%s\n' "$dir/lib"
    printf '%s\n' "$dir/nofutex"
}

if [ -e "$dir/complete" ]; then
    print_folders
    exit 0
fi

work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log

# The system's own sources, asked for their source packages.
private_apt() {
    apt-get -q \
        -o Dir::Etc::sourcelist=/nonexistent \
        -o Dir::Etc::sourceparts="$work/apt/sources" \
        -o Dir::State::lists="$work/apt/lists" \
        -o Dir::Cache="$work/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

get_source() {
    mkdir -p "$work"/apt/{sources,lists/partial,cache/archives/partial}
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $file in
            *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" ;;
            *.list) [ -e "$file" ] && sed -n 's/^deb\(-src\)\? /deb-src /p' "$file" | sort -u ;;
        esac >"$work/apt/sources/$(basename "$file")" || true
    done
    private_apt update
    cd "$work"
    # An archive forgets superseded versions; any later one of the same
    # release has the same ABI.
    private_apt source "glib2.0=$glib_version" || private_apt source glib2.0
}

build() {
    local libs lib sanitize=thread
    [ "$kind" = tsan ] || sanitize=none
    cd "$work"/glib2.0-*/
    grep -q 'define USE_ASM_GOTO' glib/gbitlock.c
    sed -i '/define USE_ASM_GOTO/d' glib/gbitlock.c
    CC=$cc meson setup b --wrap-mode=nofallback -Db_sanitize=$sanitize -Db_lundef=false \
        -Dbuildtype=debugoptimized -Dtests=false -Dselinux=disabled -Dlibmount=disabled \
        -Dlibelf=disabled -Dnls=disabled -Dman=false -Dgtk_doc=false -Dsysprof=disabled \
        -Ddtrace=false -Dsystemtap=false
    libs=$(ninja -C b -t targets all |
        sed -nE 's,^((glib|gmodule|gthread|gobject|gio)/lib[a-z]+-2\.0\.so\.[0-9.]+): .*,\1,p')
    mkdir -p "$work/out/lib" "$work/out/nofutex"
    if [ "$kind" = tsan ]; then
        # shellcheck disable=SC2086
        ninja -C b $libs
        for lib in $libs; do
            cp "b/$lib" "$work/out/lib/$(basename "${lib%.so.*}").so.0"
        done
    fi
    sed -i 's/^#define HAVE_FUTEX.*//' b/config.h
    lib=$(grep '^glib/' <<<"$libs")
    ninja -C b "$lib"
    cp "b/$lib" "$work/out/nofutex/libglib-2.0.so.0"
    touch "$work/out/complete"
}

printf 'Building GLib %s for %s (%s), once\n' "$glib_version" "$kind" "$cc" >&2
# Not in a condition, where set -e would not hold inside the functions.
set +e
(set -e; get_source; build) >"$log" 2>&1
set -e
if [ ! -e "$work/out/complete" ]; then
    printf 'This failed:\n' >&2
    tail -n 30 "$log" >&2
    exit 1
fi
rm -rf "$dir"
mv "$work/out" "$dir"
print_folders
