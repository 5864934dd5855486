# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_SYMBOL_MAP
# Whether the linker takes src/libdistributor.map, the list of what the shared library exports.
AC_DEFUN([DISTRIBUTOR_SYMBOL_MAP], [
  AC_MSG_CHECKING([whether the linker takes a symbol map])
  distributor_ldflags_before=$LDFLAGS
  LDFLAGS="$LDFLAGS -Wl,--version-script=$srcdir/src/libdistributor.map"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [have_symbol_map=yes], [have_symbol_map=no])
  LDFLAGS=$distributor_ldflags_before
  AC_MSG_RESULT([$have_symbol_map])
  AM_CONDITIONAL([SYMBOL_MAP], [test "$have_symbol_map" = yes])
])
