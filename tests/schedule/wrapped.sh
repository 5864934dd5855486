#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each function of the C library that the examined sources call is given by the explorer, or is one
# that neither waits nor wakes nor looks at what differs from run to run.
. "${srcdir:-.}/tests/house/report.sh"

library=tests/schedule/.libs/libscheduled.a
flow=tests/schedule/.libs/libscheduled-flow.a
for part in "$library" "$flow"; do
    [ -f "$part" ] || skip "no $part"
done

# src/base/os.c and fence.c are there, but nobody calls what is in them.
replaced="__errno_location __sched_cpucount clock_nanosleep close eventfd
    eventfd_read eventfd_write fclose fgets fopen fscanf getrandom madvise mmap
    munmap pthread_once sched_getaffinity strstr syscall"
# Nothing that others could see.
plain="__ctype_b_loc _setjmp ck_ht_destroy ck_ht_get_spmc ck_ht_hash ck_ht_init ck_ht_put_spmc freelocale
    getpid localtime_r longjmp memchr memcmp memcpy memmove memset newlocale pthread_attr_destroy
    pthread_attr_init pthread_attr_setstacksize pthread_equal pthread_mutexattr_destroy
    pthread_mutexattr_init pthread_mutexattr_settype qsort sigdelset sigfillset snprintf strchr
    strcmp strcspn strftime strlen strncmp strrchr strspn strerrordesc_np strtod strtod_l strtoll
    sysconf vsnprintf"
# Nor these: no step comes between them, and what they allocate is not the explorer's.
printed="asprintf fprintf fputs open_memstream stderr uselocale vasprintf"

wrapped=$(sed -n '/^schedule_wrapped/,/[^\\]$/p' "$srcdir/tests/schedule/local.mk" |
    sed 's/^schedule_wrapped =//; s/\\$//')

for name in $(${NM:-nm} -u "$library" "$flow" | "${AWK:-awk}" '$1 == "U" { print $2 }' | sort -u |
    sed 's/^__\(.*\)_chk$/\1/; s/^__isoc[0-9]*_//'); do
    case $name in
    distr_* | distributor_* | schedule_* | _GLOBAL_OFFSET_TABLE_ | __tls_get_addr) continue ;;
    __popcountdi2) continue ;; # of the compiler, without optimisation
    esac
    case " $(echo $wrapped $replaced $plain $printed) " in
    *" $name "*) ;;
    *) wrong "$name: the explorer does not give it" ;;
    esac
done
house_end "Give it in tests/schedule/system.c and local.mk, or list it in tests/schedule/wrapped.sh."
