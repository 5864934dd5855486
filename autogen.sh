#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Makes configure and what it needs.  Run it once after a clone, and whenever autotools ask.
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force "$@"
