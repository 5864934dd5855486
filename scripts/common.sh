# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What scripts/run and scripts/test have in common: packages, autogen, configure.  Read by them,
# from the top of the source tree.
# shellcheck disable=SC2034 # its readers use them
jobs=$(nproc 2>/dev/null || echo 2)

# What a build needs on Debian 12.  pkg-config is pkgconf there.
# shellcheck disable=SC2034
build_packages="build-essential autoconf automake libtool pkg-config"
build_packages="$build_packages libck-dev libjansson-dev libncurses-dev libxxhash-dev"
build_packages="$build_packages libcurl4-openssl-dev libxml2-dev"

say() {
    printf '%s\n' "$*"
}

complain() {
    printf '%s: %s\n' "$0" "$*" >&2
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# as_root COMMAND...
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# need_packages NAME...: installs those that are missing; says nothing if none is.
need_packages() {
    local missing=() name
    if ! command -v apt-get >/dev/null; then
        say "This is no Debian: the build goes on with what is installed.  Debian's names: $*"
        return
    fi
    for name; do
        is_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        complain "these packages are missing: ${missing[*]}.  Run this as root, or install them."
        exit 1
    fi
    say "Installing ${missing[*]}"
    mkdir -p build/log
    # A mirror that fails once is asked again, and whoever else installs something may end.
    local patient="-o Acquire::Retries=5 -o DPkg::Lock::Timeout=120"
    # shellcheck disable=SC2086
    if ! {
        as_root apt-get $patient update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get $patient install -y -qq --no-install-recommends "${missing[@]}"
    } >build/log/apt.log 2>&1; then
        tail -n 20 build/log/apt.log >&2
        complain "apt-get failed (build/log/apt.log).  Look whether this machine reaches a Debian" \
            "mirror, or install by hand: apt-get install ${missing[*]}"
        exit 1
    fi
}

# Makes configure, if there is none or something that it is made from is newer.
make_configure() {
    local inputs
    if [ -f config.status ]; then
        complain "somebody configured in the source tree; run 'make distclean' there first."
        return 1
    fi
    if [ -f configure ]; then
        inputs=$(find configure.ac Makefile.am autogen.sh src tests bench examples man \
            m4/distributor_*.m4 -newer configure \
            \( -name '*.ac' -o -name '*.am' -o -name '*.mk' -o -name '*.m4' -o -name autogen.sh \))
        [ -z "$inputs" ] && return
    fi
    ./autogen.sh
}

# configure_build FOLDER OPTION...: configures build/FOLDER, unless it was with the same options
# and by the same configure.
configure_build() {
    local folder=build/$1
    shift
    if [ -f "$folder/Makefile" ] && [ ! configure -nt "$folder/config.status" ] &&
        [ "$(cat "$folder/options" 2>/dev/null)" = "$*" ]; then
        return
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && ../../configure "$@") && printf '%s\n' "$*" >"$folder/options"
}
