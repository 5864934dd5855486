#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What SECURITY.md says of how it is built is so: in each shared library and in the command, a
# linker table that is read-only after start, a stack that is no code, calls of libc that check
# sizes.  $HARDENING has the flags that configure found.
. "${srcdir:-.}/tests/house/report.sh"

[ -n "$(echo $HARDENING)" ] || skip "built without hardening"
command -v readelf > /dev/null || skip "no readelf"

# asked FLAG: whether configure found that the compiler, or the linker, knows it.
asked() {
    case " $HARDENING " in *"$1"*) return 0 ;; esac
    return 1
}

found=0
for built in src/.libs/libdistributor.so src/.libs/libdistributor-flow.so src/cli/.libs/distributor; do
    [ -f "$built" ] || continue
    found=$((found + 1))
    segments=$(readelf -lW "$built")
    if asked -z,now; then
        echo "$segments" | grep -q GNU_RELRO || wrong "$built: no GNU_RELRO"
        readelf -dW "$built" | grep -q 'FLAGS_1.*NOW' || wrong "$built: bound lazily"
    fi
    ! asked noexecstack || ! echo "$segments" | grep -q 'GNU_STACK.*RWE' ||
        wrong "$built: its stack is code"
    ! asked _FORTIFY_SOURCE || readelf -sW --dyn-syms "$built" | grep -q ' UND __[a-z]*_chk' ||
        wrong "$built: no call checks its size"
done
[ "$found" -gt 0 ] || skip "nothing shared was built"
house_end "The flags come from m4/distributor_hardening.m4, and every program and library has them."
