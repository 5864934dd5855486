# SPDX-License-Identifier: BSD-2-Clause
# Floor 0.  Every .c and .h of this folder is listed, in alphabetical order.

src_libdistr_la_SOURCES += \
	src/base/cacheline.h \
	src/base/clock.h \
	src/base/errors.c \
	src/base/fence.c \
	src/base/fence.h \
	src/base/gate.h \
	src/base/handover.h \
	src/base/os.c \
	src/base/os.h \
	src/base/version.c
