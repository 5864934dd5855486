# SPDX-License-Identifier: BSD-2-Clause
# Manual pages, mdoc.  `make install` puts them into their sections, and for each further name in
# the NAME section of a page a link to it, so that `man` finds every function.

man_pages = \
	man/distributor.3 \
	man/distributor_add_source.3 \
	man/distributor_add_task.3 \
	man/distributor_call_name.3 \
	man/distributor_channel_create.3 \
	man/distributor_create.3 \
	man/distributor_defer.3 \
	man/distributor_emit.3 \
	man/distributor_event_create.3 \
	man/distributor_graph_create.3 \
	man/distributor_graph_run.3 \
	man/distributor_group_create.3 \
	man/distributor_lock.3 \
	man/distributor_map.3 \
	man/distributor_map_lazy.3 \
	man/distributor_module_create.3 \
	man/distributor_next_result.3 \
	man/distributor_pipe.3 \
	man/distributor_start.3 \
	man/distributor_state_create.3 \
	man/distributor_state_save.3 \
	man/distributor_strerror.3 \
	man/distributor_value_format.3
dist_man_MANS += $(man_pages)
if SHARED
dist_man_MANS += man/distributor.1
else
EXTRA_DIST += man/distributor.1
endif
EXTRA_DIST += man/names.awk

# A loop over the links: $name is a name that is no page of its own, $page the page that has it.
each_man_link = for page in $(man_pages); do \
	$(AWK) -f $(top_srcdir)/man/names.awk $(top_srcdir)/$$page | sed 1d | \
	while read -r name; do

install_more += install-man-links
install-man-links:
	@$(MKDIR_P) '$(DESTDIR)$(man3dir)'
	@$(each_man_link) \
		rm -f "$(DESTDIR)$(man3dir)/$$name.3" && \
		$(LN_S) "$$(basename $$page)" "$(DESTDIR)$(man3dir)/$$name.3" || exit 1; \
	done || exit 1; done

uninstall_more += uninstall-man-links
uninstall-man-links:
	@$(each_man_link) rm -f "$(DESTDIR)$(man3dir)/$$name.3"; done; done

phony_targets += install-man-links uninstall-man-links
