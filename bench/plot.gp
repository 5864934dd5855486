# SPDX-License-Identifier: BSD-2-Clause
# The plot of `make bench`: a field for each subject, medians with the least and the most, the axis
# logarithmic, further left is better.  Called as
#     gnuplot -e "data='bench-results.dat'; picture='bench-results.svg'" plot.gp
# The data are blocks, each with its title in a comment, of lines: peer, median, min, max, and 2 for
# the distributor, 1 for a limit, 0 for a peer.
columns = 3
fields = int(system(sprintf("grep -c '^# ' '%s'", data)))
rows = int(ceil(fields / real(columns)))

set terminal svg size 1280, 60 + 270 * rows font "sans-serif,11" background rgb "white"
set output picture
unset key
set logscale x
set format x "10^{%T}"
set grid x
set offsets 0, 0, 0.6, 0.6
set ytics font ",9"
set tics nomirror
set border 1
colour(kind) = kind == 2 ? 0xc00000 : kind == 1 ? 0x808080 : 0x20508c

set multiplot layout rows, columns title "libdistributor beside its peers: median, least and most (further left is better)"
do for [i = 0:fields - 1] {
    set title system(sprintf("awk '/^# / && n++ == %d { print substr($0, 3) }' '%s'", i, data))
    plot data index i using 2:(-$0):3:4:(colour($5)):ytic(1) \
        with xerrorbars pointtype 7 pointsize 0.6 linewidth 1.5 linecolor rgb variable
}
unset multiplot
