# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_WARNINGS
# --enable-werror, and the warnings that every file of the project is built with: WARN_CFLAGS.
AC_DEFUN([DISTRIBUTOR_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [a warning stops the build])],
    [], [enable_werror=no])

  WARN_CFLAGS=
  DISTRIBUTOR_TRY_CFLAGS([WARN_CFLAGS], [-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wundef -Wvla \
    -Wformat-security -Wimplicit-fallthrough])
  AS_IF([test "$enable_werror" = yes], [AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
  AC_SUBST([WARN_CFLAGS])

  cc_version=$($CC --version 2>/dev/null | sed 1q)
])
