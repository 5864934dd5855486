# SPDX-License-Identifier: BSD-2-Clause
# Floor 3.  Every .c and .h of this folder is listed, in alphabetical order.

src_libdistr_la_SOURCES += \
	src/flow/map.c
