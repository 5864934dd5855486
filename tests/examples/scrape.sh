#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# examples/scrape on a site of its own: every page that a link leads to, once; failures named; with
# any number of workers the same.
set -u
. "$srcdir/tests/examples/nginx.sh"

failures=0
work=$(mktemp -d) || exit 99
trap 'stop_nginx; rm -rf "$work"' EXIT

# equal WHAT EXPECTED FOUND: files
equal() {
    diff "$2" "$3" >"$work/diff" && return
    printf 'FAILED: %s (< expected, > found)\n' "$1"
    head -20 "$work/diff"
    failures=1
}

# status WHAT EXPECTED FOUND
status() {
    [ "$2" = "$3" ] && return
    echo "FAILED: $1: status $3, not $2"
    cat "$work/stderr"
    failures=1
}

# page PATH TITLE LINK...
page() {
    file=$work/site/$1
    title=$2
    shift 2
    mkdir -p "${file%/*}"
    {
        echo "<!DOCTYPE html><html><head><title>$title</title></head><body>"
        for link; do
            echo "<p><a href=\"$link\">there</a>"
        done
    } >"$file"
}

mkdir "$work/site"
start_nginx "$work" '
        location = /old { return 301 /new.html; }
        location = /away { return 302 http://away.invalid/; }
        location = /teapot { return 418; }'
site=http://127.0.0.1:$port
closed=http://127.0.0.1:1/closed.html # nothing listens on port 1

page index.html 'The start' a.html ./b.html dir/ /dir/../a.html '/a.html#part' '#here' '' '?q=1' \
    missing.html "$closed" "$site/c.html" "//127.0.0.1:$port/d.html" 'with%20blank.html' \
    'with blank.html' ' a.html ' old away teapot data.txt picture.png \
    mailto:somebody@example.invalid 'javascript:void(0)' ftp://127.0.0.1/x \
    http://elsewhere.invalid/ 'http://[broken' chain/1.html odd.html empty.html
page a.html 'A &amp; &lt;i&gt;' index.html a.html b.html
page b.html '  B
    of two	lines ' a.html ../../index.html
page c.html '' d.html
page d.html 'D' missing.html "$closed"
page new.html 'Moved' /
page dir/index.html 'A folder' ../a.html deep/er/e.html .
page dir/deep/er/e.html 'Deep' /missing.html ../../../gone.html
page 'with blank.html' 'Blank' index.html
for number in $(seq 1 120); do
    page "chain/$number.html" "Link $number" "$((number - 1)).html" "$((number + 1)).html" ../index.html
done
rm "$work/site/chain/120.html"
page chain/0.html 'Link 0' 1.html
# What is no good HTML, and a title that would write on the terminal.
printf '<html><title>Odd \033[31m</title><a href=a.html><a HREF=f.html <b>x<a name=y><p' \
    >"$work/site/odd.html"
page f.html 'F'
: >"$work/site/empty.html"
echo 'no <a href="never.html">page</a>' >"$work/site/data.txt"
echo png >"$work/site/picture.png"

{
    for line in '/  The start' '/?q=1  The start' '/index.html?q=1  The start' '/index.html  The start' '/a.html  A & <i>' \
        '/b.html  B of two lines' '/c.html  (no title)' '/d.html  D' '/dir/  A folder' \
        '/dir/deep/er/e.html  Deep' '/with%20blank.html  Blank' '/new.html  Moved' \
        '/data.txt  (no title)' '/picture.png  (no title)' '/odd.html  Odd [31m' '/f.html  F' \
        '/empty.html  (no title)'; do
        echo "$site$line"
    done
    for number in $(seq 0 119); do
        echo "$site/chain/$number.html  Link $number"
    done
} | LC_ALL=C sort >"$work/expected"
for line in "$site/missing.html: HTTP 404" "$site/gone.html: HTTP 404" "$site/teapot: HTTP 418" \
    "$site/chain/120.html: HTTP 404" "$closed: connection refused"; do
    echo "scrape: $line"
done | LC_ALL=C sort >"$work/expected.failures"
{
    sed "s,^$site,," "$work/expected" | sed 's/  .*//'
    printf '%s\n' /missing.html /gone.html /teapot /chain/120.html /old /away
} | LC_ALL=C sort >"$work/expected.fetched"

# The words of libcurl for a closed port differ from version to version.
sorted_failures() {
    sed "s|^\(scrape: $closed\): .*|\1: connection refused|; /^[0-9]* pages, /d" "$work/stderr" |
        LC_ALL=C sort
}

# await_requests COUNT: nginx notes a request after its answer is on its way.
await_requests() {
    tries=0
    while [ "$(wc -l <"$work/access.log")" -lt "$1" ] && [ $((tries += 1)) -le 600 ]; do
        sleep 0.1
    done
}

for workers in 1 2 4 16; do
    : >"$work/access.log"
    ./examples/scrape -j "$workers" "$site" >"$work/stdout" 2>"$work/stderr"
    status "$workers workers" 1 $?
    LC_ALL=C sort "$work/stdout" >"$work/found"
    equal "titles, $workers workers" "$work/expected" "$work/found"
    sorted_failures >"$work/found"
    equal "failures, $workers workers" "$work/expected.failures" "$work/found"
    grep -qx '144 pages, 5 failed, [0-9.]* s' "$work/stderr" || {
        echo "FAILED: the summary, $workers workers"
        cat "$work/stderr"
        failures=1
    }
    # Each address once.
    await_requests "$(wc -l <"$work/expected.fetched")"
    sed 's/.*"GET \([^ ]*\) .*/\1/' "$work/access.log" | LC_ALL=C sort >"$work/found"
    equal "fetched, $workers workers" "$work/expected.fetched" "$work/found"
done

# All is well; the fragment and the usual form of an address do not matter.
./examples/scrape "$site/chain/../f.html#top" >"$work/stdout" 2>"$work/stderr"
status "one page" 0 $?
echo "$site/f.html  F" >"$work/expected"
equal "one page" "$work/expected" "$work/stdout"

for pages in 1 7; do
    ./examples/scrape -n "$pages" "$site" >"$work/stdout" 2>"$work/stderr"
    grep -q "^$pages pages, " "$work/stderr" || {
        echo "FAILED: -n $pages"
        cat "$work/stderr"
        failures=1
    }
done

# Where the start cannot be fetched, that is a failed page.
./examples/scrape "$closed" >"$work/stdout" 2>"$work/stderr"
status "a closed port" 1 $?

./examples/scrape "$site" >/dev/full 2>"$work/stderr"
status "a full disk" 2 $?

# refused MESSAGE ARGUMENT...
refused() {
    echo "$1" >"$work/expected"
    shift
    ./examples/scrape "$@" >"$work/stdout" 2>"$work/stderr"
    status "refused $*" 2 $?
    equal "refused $*" "$work/expected" "$work/stderr"
}

usage='usage: scrape [-j WORKERS] [-n PAGES] ADDRESS'
refused "$usage"
refused "$usage" -j 0 "$site"
refused "$usage" -j 65537 "$site"
refused "$usage" -n 0 "$site"
refused "$usage" -n x "$site"
refused "$usage" -n -1 "$site"
refused "$usage" -x "$site"
refused "$usage" "$site" "$site"
for address in nonsense '' /etc/passwd ftp://127.0.0.1/ 'http://' 'http://[x'; do
    refused "scrape: $address: this is no address of http or https" "$address"
done

exit "$failures"
