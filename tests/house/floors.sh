#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Who may include whom: a floor includes itself and lower floors, by folder; public headers include
# each other and the headers of C.
. "${srcdir:-.}/tests/house/report.sh"

# What each folder of src may include from src.
may_include() {
    case $1 in
    base) echo base ;;
    queue) echo base queue ;;
    pool) echo base queue pool ;;
    flow) echo base flow ;;
    cli) echo cli ;;
    esac
}

c_headers=' assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads
    time uchar wchar wctype '
libc_headers="$c_headers"' aio alloca argp arpa byteswap cpio dirent dlfcn elf endian envz err
    error execinfo fcntl features fmtmsg fnmatch fts ftw getopt glob grp iconv ifaddrs langinfo
    libgen link malloc mntent monetary mqueue ndbm net netdb nl_types obstack paths poll printf
    pthread pty pwd regex resolv sched search semaphore shadow spawn stropts strings sysexits
    syslog tar termios trace ucontext ulimit unistd utime utmp utmpx wait wordexp '

is_in() {
    case " $(echo $2) " in *" $1 "*) return 0 ;; esac
    return 1
}

includes() {
    sed -n 's/^[ \t]*#[ \t]*include[ \t]*\([<"][^>"]*[>"]\).*/\1/p' "$1"
}

check_source() {
    file=$1
    folder=${file#"$srcdir"/src/}
    folder=${folder%%/*}
    allowed=$(may_include "$folder")
    [ -n "$allowed" ] || wrong "$file: no floor is known for src/$folder"
    for include in $(includes "$file"); do
        case $include in
        '<distributor'* | '"distributor'*)
            [ -f "$srcdir/include/$(echo "$include" | tr -d '<>"')" ] ||
                wrong "$file: $include is no public header" ;;
        '"'*/*)
            name=$(echo "$include" | tr -d '"')
            is_in "${name%%/*}" "$allowed" ||
                wrong "$file: $include is not below src/$folder"
            [ -f "$srcdir/src/$name" ] || wrong "$file: $include does not exist" ;;
        '"'*) wrong "$file: $include is not by folder, as in \"base/clock.h\"" ;;
        esac
    done
}

check_name() {
    name=$(basename "$1" .h)
    if is_in "$name" "$libc_headers"; then
        wrong "$1: libc has a header of that name"
    fi
}

check_public() {
    for include in $(includes "$1"); do
        name=$(echo "$include" | tr -d '<>"')
        case $include in
        '<distributor/'*) [ -f "$srcdir/include/$name" ] || wrong "$1: $include does not exist" ;;
        '<'*) is_in "${name%.h}" "$c_headers" || wrong "$1: $include is no header of C" ;;
        *) wrong "$1: $include should be <distributor/...>" ;;
        esac
    done
}

for file in "$srcdir"/src/*/*.[ch]; do
    [ -f "$file" ] && check_source "$file"
done
for file in "$srcdir"/src/*/*.h; do
    [ -f "$file" ] && check_name "$file"
done
for file in "$srcdir"/include/*.h "$srcdir"/include/distributor/*.h; do
    check_public "$file"
done

house_end "A lower floor never includes a higher one: move what is shared down."
