# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_TRY_CFLAGS(VARIABLE, FLAGS)
# Appends to VARIABLE each of FLAGS that the compiler takes without a word.  -Werror is what makes
# clang refuse a warning option that it does not know.
AC_DEFUN([DISTRIBUTOR_TRY_CFLAGS], [
  distributor_cflags_before=$CFLAGS
  for distributor_flag in $2; do
    AC_MSG_CHECKING([whether $CC takes $distributor_flag])
    CFLAGS="$distributor_cflags_before -Werror $distributor_flag"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("")]])],
      [AC_MSG_RESULT([yes]); AS_VAR_APPEND([$1], [" $distributor_flag"])],
      [AC_MSG_RESULT([no])])
  done
  CFLAGS=$distributor_cflags_before
])

# DISTRIBUTOR_TRY_LDFLAGS(VARIABLE, FLAGS)
# The same for the linker.
AC_DEFUN([DISTRIBUTOR_TRY_LDFLAGS], [
  distributor_ldflags_before=$LDFLAGS
  for distributor_flag in $2; do
    AC_MSG_CHECKING([whether the linker takes $distributor_flag])
    LDFLAGS="$distributor_ldflags_before -Werror $distributor_flag"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes]); AS_VAR_APPEND([$1], [" $distributor_flag"])],
      [AC_MSG_RESULT([no])])
  done
  LDFLAGS=$distributor_ldflags_before
])
