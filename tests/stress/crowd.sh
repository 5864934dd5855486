#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# 64 workers and 64 adders, whatever the number of cores, without limits: none of a million tasks is
# lost, and every add returns; the longest one is printed, and decides nothing.
exec tests/stress/volume --workers 64 --adders 64 --readers 2 --tasks "${1:-1000000}" --rounds 1
