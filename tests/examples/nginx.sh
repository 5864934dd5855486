# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# A web server for one test: nginx, on 127.0.0.1 and a free port.  Read by the test.

PATH=$PATH:/usr/sbin:/sbin

# start_nginx FOLDER LOCATIONS: serves FOLDER/site, LOCATIONS are lines for its configuration.
# Sets nginx (its process) and port.  Ends the test if there is no nginx.
start_nginx() {
    command -v nginx >/dev/null || {
        echo "skipped: no nginx (nginx-light)"
        exit 77
    }
    port=$((20000 + $$ % 20000))
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((port + try))
        write_nginx_conf "$1" "$2"
        nginx -p "$1/" -c nginx.conf -e "$1/error.log" &
        nginx=$!
        await_nginx "$1" && return
        wait "$nginx" # somebody has the port
    done
    cat "$1/error.log"
    echo "nginx did not start"
    exit 99
}

# One process in the foreground, of the user who runs the test, and nothing outside the folder.
write_nginx_conf() {
    cat >"$1/nginx.conf" <<CONF
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 512; }
http {
    access_log access.log;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    types { text/html html; text/plain txt; image/png png; }
    server {
        listen 127.0.0.1:$port;
        root site;
        $2
    }
}
CONF
}

# It writes its number once it listens.
await_nginx() {
    while [ ! -s "$1/nginx.pid" ]; do
        kill -0 "$nginx" 2>/dev/null || return 1
        sleep 0.05
    done
}

# Whether the test goes well or not.
stop_nginx() {
    [ -n "${nginx:-}" ] || return 0
    kill "$nginx" 2>/dev/null
    wait "$nginx"
}
