#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: build-aux/debian-root.sh make RELEASE [PACKAGE...]
#        build-aux/debian-root.sh enter [--writable] [--share FOLDER]... ROOT COMMAND...
#
# Another Debian in a folder; the system itself is not changed.  As root, or
# through sudo.
#
# make: prints the folder of a minimal Debian of that release with these packages.
# It is made once, from the archive that this machine's apt uses, and kept outside
# of the tree, by release and packages.  A package that the release does not have
# is left out; such are named in the file "absent" beside the folder.
#
# enter: runs a command in it, as who calls, with the network of the machine, its
# /proc, and /tmp and /run of its own.  FOLDER is there at the same place as
# outside.  ROOT cannot be written to unless --writable says so.  What is mounted
# and what runs is in namespaces of its own, and is gone when the command ends,
# however it ends.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/libasyncexec
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo -n)

fail() {
    printf 'debian-root.sh: %s\n' "$1" >&2
    exit 1
}

# Lines "URI RELEASE COMPONENT" of what this machine installs from Debian.
known_archives() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/^Debian //p' | sort -u
}

# archives RELEASE: those of its lines that RELEASE has, and its main one in any case.
archives() {
    local found main
    found=$(known_archives)
    if [ -z "$found" ]; then
        "${sudo[@]}" apt-get -q update >&2
        found=$(known_archives)
    fi
    main=$(awk '$2 !~ /-/ && $3 == "main" { print $1; exit }' <<<"$found")
    [ -n "$main" ] || fail "apt knows no archive of Debian"
    printf '%s %s main\n' "$main" "$1"
    awk -v release="$1-" 'index($2, release) == 1' <<<"$found"
}

# What apt was told about the way to its archive.
apt_settings() {
    apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-|Retries)' || true
}

bootstrap() {
    local release=$1 root=$2 main
    main=$(archives "$release" | sed -n '1s/ .*//p')
    "${sudo[@]}" unshare --mount debootstrap --variant=minbase "$release" "$root" "$main"
    archives "$release" | sed 's/^/deb /' | "${sudo[@]}" tee "$root/etc/apt/sources.list"
    apt_settings | "${sudo[@]}" tee "$root/etc/apt/apt.conf.d/99outside"
    enter --writable "$root" env HOME=/root DEBIAN_FRONTEND=noninteractive apt-get -q update
}

# add_packages ROOT ABSENT PACKAGE...
add_packages() {
    local root=$1 absent=$2 there
    shift 2
    there=$(enter "$root" apt-cache --generate pkgnames | sort)
    printf '%s\n' "$@" | sort -u | comm -23 - <(printf '%s\n' "$there") >"$absent"
    printf '%s\n' "$@" | sort -u | comm -12 - <(printf '%s\n' "$there") |
        enter --writable "$root" env HOME=/root DEBIAN_FRONTEND=noninteractive \
            xargs apt-get -q -y --no-install-recommends install
    enter --writable "$root" apt-get clean
}

make() {
    local release=$1 dir work
    shift
    dir=$cache/debian-$release-$(printf '%s\n' "$@" | sort -u | sha256sum | cut -c 1-12)
    mkdir -p "$cache"
    exec 9>"$dir.lock"
    flock 9
    if [ ! -e "$dir/complete" ]; then
        command -v debootstrap >/dev/null || fail "debootstrap is not installed"
        printf 'Making a Debian %s below %s, once\n' "$release" "$cache" >&2
        "${sudo[@]}" rm -rf --one-file-system "$dir"
        work=$(mktemp -d "$cache/build.XXXXXX")
        # shellcheck disable=SC2064
        trap "${sudo[*]} rm -rf --one-file-system '$work'" EXIT
        as_root=yes
        set +e
        (set -e; bootstrap "$release" "$work/root"; [ $# = 0 ] || add_packages "$work/root" "$work/absent" "$@"
         touch "$work/complete") >"$work/log" 2>&1 </dev/null
        set -e
        if [ ! -e "$work/complete" ]; then
            tail -n 30 "$work/log" >&2
            exit 1
        fi
        chmod 755 "$work"
        mv "$work" "$dir"
    fi
    printf '%s\n' "$dir/root"
}

# In the namespaces, as root.  $1: root, $2: yes if it may be written to, $3: user, then folders, "--", the command.
# shellcheck disable=SC2016
inside='
set -eu
root=$1 writable=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
[ ! -e "$root/etc/resolv.conf" ] || mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
done
shift
[ "$writable" = yes ] || mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
cd /
exec chroot --userspec="$user" "$root" "$@"
'

as_root=no
enter() {
    local writable=no shared=() root user
    while true; do
        case $1 in
            --writable) writable=yes ;;
            --share) shared+=("$2"); shift ;;
            *) break ;;
        esac
        shift
    done
    root=$1
    shift
    user=$(id -u):$(id -g)
    [ "$as_root" = no ] || user=0:0
    # sudo takes most of the environment away; what is wanted is that of the caller.
    "${sudo[@]}" env "PATH=$PATH" unshare --mount --pid --fork --kill-child \
        sh -c "$inside" sh "$root" "$writable" "$user" "${shared[@]}" -- \
        env -i "${environment[@]}" "$@"
}

mapfile -t -d '' environment < <(env -0 | sed -z -E '/^(PATH|HOME|TMPDIR|SUDO_[A-Z]+|XDG_[A-Z_]+|DBUS_[A-Z_]+|DISPLAY)=/d')
environment+=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp)

case ${1:-} in
    make) shift; [ $# -gt 0 ] || fail "make needs the name of a release"; make "$@" ;;
    enter) shift; enter "$@" ;;
    *) sed -n '4,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
