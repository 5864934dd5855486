# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_CK
# Concurrency Kit.  What is used of it are inline functions of its headers, so that nothing of it
# is linked: CK_LIBS is empty until a source calls into libck.
AC_DEFUN([DISTRIBUTOR_CHECK_CK], [
  CK_LIBS=
  AC_SUBST([CK_LIBS])
  AC_CHECK_HEADERS([ck_pr.h ck_stack.h], [],
    [AC_MSG_ERROR([the headers of Concurrency Kit are needed (Debian: libck-dev)])])
])
