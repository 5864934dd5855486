# SPDX-License-Identifier: BSD-2-Clause
# Manual pages, mdoc.  `make install` puts them into their sections.
#
#     dist_man_MANS += man/NAME.3
