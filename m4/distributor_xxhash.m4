# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_XXHASH
# For examples/checksum_tree alone.
AC_DEFUN([DISTRIBUTOR_CHECK_XXHASH], [
  PKG_CHECK_MODULES([XXHASH], [libxxhash], [have_xxhash=yes], [have_xxhash=no])
  AM_CONDITIONAL([HAVE_XXHASH], [test "$have_xxhash" = yes])
])
