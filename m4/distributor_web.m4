# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_WEB
# libcurl and libxml2: for examples that fetch something.  The oldest libcurl has
# CURLOPT_PROTOCOLS_STR.
AC_DEFUN([DISTRIBUTOR_CHECK_WEB], [
  PKG_CHECK_MODULES([LIBCURL], [libcurl >= 7.85], [have_libcurl=yes], [have_libcurl=no])
  PKG_CHECK_MODULES([LIBXML2], [libxml-2.0], [have_libxml2=yes], [have_libxml2=no])
  AM_CONDITIONAL([HAVE_LIBCURL], [test "$have_libcurl" = yes])
  AM_CONDITIONAL([HAVE_SCRAPE], [test "$have_libcurl" = yes && test "$have_libxml2" = yes])
])
