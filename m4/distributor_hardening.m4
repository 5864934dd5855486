# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_HARDENING
# Only what costs nothing while tasks run: a linker table that is read-only after start, a stack
# that is no code, and the checks of libc calls whose sizes the compiler knows.  A stack protector
# is left out: it would stand in functions that run once per task.
AC_DEFUN([DISTRIBUTOR_HARDENING], [
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening],
      [leave out _FORTIFY_SOURCE, relro, immediate binding and noexecstack])],
    [], [enable_hardening=yes])
  HARDENING_CPPFLAGS=
  HARDENING_LDFLAGS=
  AS_IF([test "$enable_hardening" != no && test "$with_sanitizer" = no], [
    # glibc warns about it when nothing is optimised, and -Werror makes that a refusal.
    DISTRIBUTOR_TRY_CFLAGS([HARDENING_CPPFLAGS], ['-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'])
    DISTRIBUTOR_TRY_LDFLAGS([HARDENING_LDFLAGS], [-Wl,-z,relro -Wl,-z,now])
    DISTRIBUTOR_TRY_LDFLAGS([HARDENING_LDFLAGS], [-Wl,-z,noexecstack])
  ])
  AC_SUBST([HARDENING_CPPFLAGS])
  AC_SUBST([HARDENING_LDFLAGS])
])
