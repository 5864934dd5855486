# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_CRITERION
# The unit tests are written with Criterion; without it they are skipped.
AC_DEFUN([DISTRIBUTOR_CHECK_CRITERION], [
  PKG_CHECK_MODULES([CRITERION], [criterion >= 2.4], [have_criterion=yes], [have_criterion=no])
])
