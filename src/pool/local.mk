# SPDX-License-Identifier: BSD-2-Clause
# Floor 2.  Every .c and .h of this folder is listed, in alphabetical order.

src_libdistr_la_SOURCES += \
	src/pool/add.c \
	src/pool/add.h \
	src/pool/ask.c \
	src/pool/await.c \
	src/pool/await.h \
	src/pool/crowd.c \
	src/pool/crowd.h \
	src/pool/defer.c \
	src/pool/defer.h \
	src/pool/distributor.c \
	src/pool/emit.c \
	src/pool/emit.h \
	src/pool/failure.c \
	src/pool/fd.c \
	src/pool/fd.h \
	src/pool/idle.c \
	src/pool/idle.h \
	src/pool/item.h \
	src/pool/keep.c \
	src/pool/keep.h \
	src/pool/lifecycle.c \
	src/pool/lifecycle.h \
	src/pool/mailbox.c \
	src/pool/options.c \
	src/pool/options.h \
	src/pool/order.c \
	src/pool/order.h \
	src/pool/order_segment.c \
	src/pool/order_source.c \
	src/pool/order_turn.c \
	src/pool/patience.c \
	src/pool/pipe.c \
	src/pool/pipe.h \
	src/pool/quiesce.c \
	src/pool/quiesce.h \
	src/pool/read.c \
	src/pool/reader.c \
	src/pool/reader.h \
	src/pool/registry.c \
	src/pool/registry.h \
	src/pool/run.c \
	src/pool/short.c \
	src/pool/source.c \
	src/pool/source.h \
	src/pool/state.h \
	src/pool/take.c \
	src/pool/take.h \
	src/pool/worker.c \
	src/pool/worker.h
