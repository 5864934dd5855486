# SPDX-License-Identifier: BSD-2-Clause

# DISTRIBUTOR_CHECK_VERSION(HEADER)
# The header is no output of configure, so that it can be read and used as it stands in the tree;
# in return configure refuses to go on when it says another version than AC_INIT.
AC_DEFUN([DISTRIBUTOR_CHECK_VERSION], [
  AC_MSG_CHECKING([that $1 says $PACKAGE_VERSION])
  distributor_header_version=$($AWK '
    $[]2 == "DISTRIBUTOR_VERSION_MAJOR" { major = $[]3 }
    $[]2 == "DISTRIBUTOR_VERSION_MINOR" { minor = $[]3 }
    $[]2 == "DISTRIBUTOR_VERSION_PATCH" { patch = $[]3 }
    $[]2 == "DISTRIBUTOR_VERSION" { text = $[]3 }
    END { print "\"" major "." minor "." patch "\" " text }' "$srcdir/$1")
  AS_IF([test "$distributor_header_version" = "\"$PACKAGE_VERSION\" \"$PACKAGE_VERSION\""],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([configure.ac says $PACKAGE_VERSION, $1 says $distributor_header_version: make them equal])])
])
