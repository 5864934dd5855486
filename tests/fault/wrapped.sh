#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each function of the C library that the library calls is wrapped by the fault tests, or is one
# that cannot fail.  A new one is put into one of the two lists, so that it is thought about.
. "${srcdir:-.}/tests/house/report.sh"

library=src/.libs/libdistr.a
[ -f "$library" ] || skip "no $library"

# Cannot fail as the library uses them, or their failure is one of the answers it waits for.
sure="__errno_location __pthread_register_cancel __pthread_unregister_cancel __sched_cpucount
    __sigsetjmp __stack_chk_fail clock_gettime clock_nanosleep close eventfd_read eventfd_write fclose fgets fscanf getpid memchr
    memcmp memcpy memmove memset nanosleep pthread_attr_destroy pthread_attr_setstacksize
    pthread_cond_broadcast pthread_cond_destroy pthread_cond_signal pthread_cond_wait
    pthread_detach pthread_equal pthread_getspecific pthread_join pthread_key_delete
    pthread_mutex_destroy pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock
    pthread_mutexattr_destroy pthread_mutexattr_settype pthread_once pthread_self
    pthread_setname_np pthread_sigmask sched_yield sigaddset sigdelset sigemptyset sigfillset
    snprintf strchr strcmp strcspn strerrordesc_np strlen strncmp strrchr strstr strtol sysconf
    vsnprintf"

wrapped=$(sed -n '/^fault_wrapped =/,/[^\\]$/p' "$srcdir/tests/fault/local.mk" |
    sed 's/^fault_wrapped =//; s/\\$//')

# The names that hardening and newer headers give to the same functions are put back.
for name in $(${NM:-nm} -u "$library" | "${AWK:-awk}" '$1 == "U" { print $2 }' | sort -u |
    sed 's/^__\(.*\)_chk$/\1/; s/^__isoc[0-9]*_//'); do
    case $name in
    distr_* | distributor_* | _GLOBAL_OFFSET_TABLE_ | __tls_get_addr | ck_*) continue ;;
    esac
    case " $(echo $wrapped $sure) " in
    *" $name "*) ;;
    *) wrong "$name: neither wrapped nor known not to fail" ;;
    esac
done
house_end "The lists are in tests/fault/local.mk and tests/fault/wrapped.sh."
