#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Each function of the C library that the libraries call is wrapped by the fault tests, or is one
# that cannot fail.  A new one is put into one of the two lists, so that it is thought about.
. "${srcdir:-.}/tests/house/report.sh"

for part in src/.libs/libdistr.a src/.libs/libdistrflow.a; do
    [ -f "$part" ] || skip "no $part"
done

# Cannot fail as the libraries use them, or their failure is one of the answers they wait for.
sure="__errno_location __pthread_register_cancel __pthread_unregister_cancel __sched_cpucount
    __sigsetjmp __stack_chk_fail _setjmp clock_gettime clock_nanosleep close eventfd_read
    eventfd_write fclose fgets fscanf getpid longjmp memchr memcmp memcpy memmove memset
    nanosleep pthread_attr_destroy pthread_attr_setstacksize
    pthread_cond_broadcast pthread_cond_destroy pthread_cond_signal pthread_cond_wait
    pthread_detach pthread_equal pthread_getspecific pthread_join pthread_key_delete
    pthread_mutex_destroy pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock
    pthread_mutexattr_destroy pthread_mutexattr_settype pthread_once pthread_self
    pthread_setname_np pthread_sigmask sched_getcpu sched_yield sigaddset sigdelset sigemptyset
    sigfillset snprintf strchr strcmp strcspn strerrordesc_np strlen strncmp strrchr strstr strtol
    sysconf vsnprintf"
sure_flow="__ctype_b_loc _exit access dirname dlclose dlerror dlsym environ freelocale getenv
    geteuid localtime_r qsort rmdir sigaction strftime strspn strtod strtod_l strtok_r strtoll
    unlink uselocale"
# What cannot be written is a stream's error, which fclose or ferror tells.
streams="ferror fprintf fputc fputs fwrite stderr"

wrapped=$(sed -n '/^fault_wrapped =/,/[^\\]$/p' "$srcdir/tests/fault/local.mk" |
    sed 's/^fault_wrapped =//; s/\\$//')
wrapped_files=$(sed -n '/^fault_wrapped_files =/,/[^\\]$/p' "$srcdir/tests/fault/local.mk" |
    sed 's/^fault_wrapped_files =//; s/\\$//')

# check LIBRARY KNOWN: the names that hardening and newer headers give to the same functions are put
# back.  Jansson's and Concurrency Kit's take their memory from the malloc that is wrapped.
check() {
    for name in $(${NM:-nm} -u "$1" | "${AWK:-awk}" '$1 == "U" { print $2 }' | sort -u |
        sed 's/^__\(.*\)_chk$/\1/; s/^__isoc[0-9]*_//'); do
        case $name in
        distr_* | distributor_* | _GLOBAL_OFFSET_TABLE_ | __tls_get_addr | ck_* | json_*) continue ;;
        esac
        case " $(echo $2) " in
        *" $name "*) ;;
        *) wrong "$name, of $1: neither wrapped nor known not to fail" ;;
        esac
    done
}

check src/.libs/libdistr.a "$wrapped $sure"
check src/.libs/libdistrflow.a "$wrapped $wrapped_files $sure $sure_flow $streams"
house_end "The lists are in tests/fault/local.mk and tests/fault/wrapped.sh."
