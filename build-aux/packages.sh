# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Sourced by tests/run: the Debian packages that tests and benchmarks need.

packages_build="gcc libc6-dev meson ninja-build pkg-config gettext python3
    libglib2.0-dev libgirepository1.0-dev gobject-introspection valac gi-docgen python3-docutils"
packages_tests="python3-gi gir1.2-glib-2.0 gjs python3-gbulb python3-trio python3-anyio mypy node-typescript jdupes xvfb xauth libgtk-4-dev
    gir1.2-gtk-4.0 xdotool imagemagick dbus-daemon reuse gdb locales g++ libfaketime spin"
packages_glib="dpkg-dev patch xz-utils libffi-dev zlib1g-dev libpcre2-dev util-linux"
packages_full="clang libclang-rt-dev llvm debootstrap clang-tidy cppcheck valgrind gcovr abigail-tools"
packages_benchmarks="g++ libtbb-dev libuv1-dev"

# Prints those of "$@" that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$package"
    done
}

# install_packages TIER INSTALL: says first what it installs; silent when
# everything is there.
install_packages() {
    local tier=$1 install=$2 wanted missing root=
    command -v dpkg-query >/dev/null || return 0
    wanted="$packages_build $packages_tests $packages_glib"
    case $tier in
        push) ;;
        benchmarks) wanted="$packages_build python3-gi gir1.2-glib-2.0 $packages_benchmarks" ;;
        *) wanted="$wanted $packages_full" ;;
    esac
    # shellcheck disable=SC2086
    missing=$(missing_packages $wanted | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if [ "$install" = no ]; then
        printf 'Packages that are missing: %s\n' "$missing"
        return 0
    fi
    printf 'Installing packages: %s\n' "$missing"
    [ "$(id -u)" = 0 ] || root=sudo
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    $root apt-get -q update >/dev/null &&
        $root apt-get -q -y --no-install-recommends install $missing >/dev/null
}
