# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_SANITIZER
# --with-sanitizer=LIST.  The flags go into CFLAGS and LDFLAGS, so that every object and every
# program has them: a program that is only half instrumented reports nonsense.
AC_DEFUN([DISTRIBUTOR_SANITIZER], [
  AC_ARG_WITH([sanitizer],
    [AS_HELP_STRING([--with-sanitizer=LIST],
      [build with sanitizers: address,undefined or thread])],
    [], [with_sanitizer=no])

  AS_CASE([$with_sanitizer],
    [no], [],
    [yes], [AC_MSG_ERROR([--with-sanitizer needs a list: address,undefined or thread])],
    [AC_MSG_CHECKING([whether $CC can sanitize $with_sanitizer])
     CFLAGS="$CFLAGS -fsanitize=$with_sanitizer -fno-omit-frame-pointer"
     LDFLAGS="$LDFLAGS -fsanitize=$with_sanitizer"
     # Concurrency Kit counts its generations in a pointer that starts at NULL.
     AS_CASE([$with_sanitizer], [*undefined*],
       [CFLAGS="$CFLAGS -fno-sanitize=pointer-overflow"])
     AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
       [AC_MSG_RESULT([yes])],
       [AC_MSG_RESULT([no])
        AC_MSG_ERROR([$CC cannot link with -fsanitize=$with_sanitizer; for clang install libclang-rt-dev])])])

  AC_SUBST([SANITIZER], [$with_sanitizer])
  AM_CONDITIONAL([SANITIZED], [test "$with_sanitizer" != no])
  AM_CONDITIONAL([SANITIZED_THREAD], [test "$with_sanitizer" = thread])
])
