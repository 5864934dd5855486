# SPDX-License-Identifier: BSD-2-Clause
# Prints the names of a manual page, one a line; the first one is that of its file.
/^\.Sh / { in_name = $2 == "NAME" }
in_name && $1 == ".Nm" { print $2 }
