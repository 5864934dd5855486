# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_TINFO
# For the viewer of the command alone: what codes the terminal has.
AC_DEFUN([DISTRIBUTOR_CHECK_TINFO], [
  PKG_CHECK_MODULES([TINFO], [tinfo], [],
    [PKG_CHECK_MODULES([TINFO], [ncurses], [],
      [AC_MSG_ERROR([ncurses is needed (Debian: libncurses-dev)])])])
])
