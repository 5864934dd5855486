# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_HARDENING
# Only what costs nothing while tasks run: a linker table that is read-only after start, and the
# checks of libc calls whose sizes the compiler knows.  A stack protector is left out: it would
# stand in functions that run once per task.
AC_DEFUN([DISTRIBUTOR_HARDENING], [
  HARDENING_CPPFLAGS=
  HARDENING_LDFLAGS=
  AS_IF([test "$with_sanitizer" = no], [
    # glibc warns about it when nothing is optimised, and -Werror makes that a refusal.
    DISTRIBUTOR_TRY_CFLAGS([HARDENING_CPPFLAGS], ['-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'])
    DISTRIBUTOR_TRY_LDFLAGS([HARDENING_LDFLAGS], [-Wl,-z,relro -Wl,-z,now])
  ])
  AC_SUBST([HARDENING_CPPFLAGS])
  AC_SUBST([HARDENING_LDFLAGS])
])
