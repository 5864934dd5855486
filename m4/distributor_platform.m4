# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_PLATFORM
# Fails early where the library cannot work: it parks threads in a futex and keeps state in C11
# atomics.
AC_DEFUN([DISTRIBUTOR_CHECK_PLATFORM], [
  AC_CHECK_HEADERS([pthread.h stdatomic.h linux/futex.h linux/membarrier.h], [],
    [AC_MSG_ERROR([this header is needed: libdistributor runs on Linux, is built by a C11 compiler and needs the kernel's headers (Debian: linux-libc-dev)])])

  AC_MSG_CHECKING([for threads with -pthread])
  distributor_cflags_before=$CFLAGS
  CFLAGS="$CFLAGS -pthread"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <pthread.h>]],
      [[pthread_t thread; return pthread_create(&thread, 0, 0, 0)]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no]); AC_MSG_ERROR([a C library with POSIX threads is needed])])
  CFLAGS=$distributor_cflags_before
])
