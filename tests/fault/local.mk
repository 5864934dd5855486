# SPDX-License-Identifier: BSD-2-Clause
# Fault injection.  The programs are linked with the objects of the library, and each call in this
# list goes to tests/fault/wrappers.c, which lets it fail.

fault_wrapped = \
	aligned_alloc calloc eventfd fopen free getrandom madvise malloc mmap munmap posix_memalign \
	pthread_atfork pthread_attr_init pthread_cond_init pthread_create pthread_key_create pthread_mutex_init \
	pthread_mutexattr_init pthread_setspecific realloc sched_getaffinity strdup strndup syscall

# And those that libdistributor-flow and the command make besides.
fault_wrapped_files = \
	__asprintf_chk __getdelim __vasprintf_chk asprintf atexit dlopen fclose fstat fsync getcwd \
	getdelim mkdir mkdtemp newlocale open open_memstream posix_spawnp read realpath rename stat \
	vasprintf waitpid write

fault_programs = \
	tests/fault/channel \
	tests/fault/ends \
	tests/fault/flow \
	tests/fault/inside \
	tests/fault/life \
	tests/fault/module \
	tests/fault/sources \
	tests/fault/whole
# Not under ThreadSanitizer, which has wrappers and limits of its own.
if !SANITIZED_THREAD
check_PROGRAMS += $(fault_programs) tests/fault/exhaustion
TESTS += $(fault_programs) tests/fault/exhaustion
endif

fault_sources = \
	tests/fault/book.c tests/fault/book.h \
	tests/fault/inject.c tests/fault/inject.h \
	tests/fault/wrappers.c tests/fault/wrappers.h
fault_ldflags = $(AM_LDFLAGS) $(fault_wrapped:%=-Wl,--wrap=%)

tests_fault_channel_SOURCES = tests/fault/channel.c $(fault_sources)
tests_fault_channel_LDFLAGS = $(fault_ldflags)
tests_fault_ends_SOURCES = tests/fault/ends.c $(fault_sources)
tests_fault_ends_LDFLAGS = $(fault_ldflags)
tests_fault_flow_SOURCES = tests/fault/files.c tests/fault/flow.c $(fault_sources)
tests_fault_flow_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fault_flow_LDFLAGS = $(fault_ldflags) $(fault_wrapped_files:%=-Wl,--wrap=%)
tests_fault_flow_LDADD = $(FLOW_LIBS)
tests_fault_inside_SOURCES = tests/fault/inside.c $(fault_sources)
tests_fault_inside_LDFLAGS = $(fault_ldflags)
tests_fault_life_SOURCES = tests/fault/life.c $(fault_sources)
tests_fault_life_LDFLAGS = $(fault_ldflags)
tests_fault_module_SOURCES = \
	$(cli_parts) \
	tests/fault/files.c \
	tests/fault/module.c $(fault_sources)
tests_fault_module_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(TINFO_CFLAGS)
tests_fault_module_LDFLAGS = \
	$(fault_ldflags) -export-dynamic \
	$(fault_wrapped_files:%=-Wl,--wrap=%)
tests_fault_module_LDADD = $(FLOW_LIBS) $(TINFO_LIBS)
tests_fault_sources_SOURCES = tests/fault/sources.c $(fault_sources)
tests_fault_sources_LDFLAGS = $(fault_ldflags)
tests_fault_whole_SOURCES = tests/fault/whole.c $(fault_sources)
tests_fault_whole_LDFLAGS = $(fault_ldflags)

# Without faults: limits that the system really sets.
tests_fault_exhaustion_SOURCES = tests/fault/exhaustion.c

# Nothing that can fail is missing from the list.
EXTRA_DIST += tests/fault/wrapped.sh
if !SANITIZED
TESTS += tests/fault/wrapped.sh
endif
