# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_CK
# Concurrency Kit.  What libdistributor uses of it are inline functions of its headers, so that
# nothing of it is linked: CK_LIBS is empty until a source calls into libck.  libdistributor-flow
# has name tables, which are code of libck: CK_HT_LIBS.
AC_DEFUN([DISTRIBUTOR_CHECK_CK], [
  CK_LIBS=
  AC_SUBST([CK_LIBS])
  AC_CHECK_HEADERS([ck_pr.h ck_stack.h ck_ht.h], [],
    [AC_MSG_ERROR([the headers of Concurrency Kit are needed (Debian: libck-dev)])])
  CK_HT_LIBS=-lck
  AC_SUBST([CK_HT_LIBS])
  AC_CHECK_LIB([ck], [ck_ht_init], [:],
    [AC_MSG_ERROR([the library of Concurrency Kit is needed (Debian: libck-dev)])])
])
