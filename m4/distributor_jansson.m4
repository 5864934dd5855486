# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_JANSSON
# For the JSON of a state: libdistributor-flow alone links it.
AC_DEFUN([DISTRIBUTOR_CHECK_JANSSON], [
  PKG_CHECK_MODULES([JANSSON], [jansson >= 2.11], [],
    [AC_MSG_ERROR([jansson is needed (Debian: libjansson-dev)])])
])
