# SPDX-License-Identifier: BSD-2-Clause
# Floor 1.  Every .c and .h of this folder is listed, in alphabetical order.

src_libdistr_la_SOURCES += \
	src/queue/block.c \
	src/queue/block.h \
	src/queue/chain.c \
	src/queue/chain.h \
	src/queue/channel.c \
	src/queue/deque.c \
	src/queue/deque.h \
	src/queue/event.c \
	src/queue/queue.c \
	src/queue/queue.h \
	src/queue/slot.h
