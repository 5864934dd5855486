#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# distributor: whatever is wrong, it is one clear line and the right exit status.
. "${srcdir:-.}/tests/cli/support.sh"
simple=$source/examples/modules/simple.c

# 2: the command line.
refuse 2 "no command"
refuse 2 "there is no command 'walk'" walk
refuse 2 "no module" run
refuse 2 "one module at a time" run "$simple" "$simple"
refuse 2 "was --workers meant" run --worker=3 "$simple"
refuse 2 "was --workers meant" run --wrokers=3 "$simple"
refuse 2 "was --state-file meant" run --statefile=x "$simple"
refuse 2 "was --version meant" run --versio "$simple"
refuse 2 "there is no option '--bogus'" run --bogus "$simple"
refuse 2 "there is no option '-x'" run -x "$simple"
refuse 2 "'--tags' needs a value" run "$simple" --tags
refuse 2 "'--log' takes no value" run --log=3 "$simple"
for workers in 0 -1 x '' 65537 3x 99999999999999999999; do
    refuse 2 "--workers takes a number from 1 to 65536, not '$workers'" run "--workers=$workers" \
        "$simple"
done
refuse 2 "--tags takes names" run --tags=, "$simple"
refuse 2 "is not -D KEY=VALUE" run -D x "$simple"
refuse 2 "is not --KEY=VALUE" run --=3 "$simple"
refuse 2 "is not MODULE::TASK" run "$simple::"
refuse 2 "it is the task that is to run" run --result-a=1 "$simple::a"
refuse 2 "one of them" run --progress --viewer "$simple"
refuse 2 "one of them" graph --dot --json "$simple"
refuse 2 "there is no option '--key=1'" graph --key=1 "$simple"
refuse 2 "whole module" graph "$simple::a"

# 3: the module and its graph.
refuse 3 "cannot read '$work/missing.so': No such file" run "$work/missing.so"
refuse 3 "is no shared object" run "$srcdir/Makefile.am"
echo 'int x;' > "$work/empty.c"
refuse 3 "has no tasks" run "$work/empty.c"
echo 'int x' > "$work/syntax.c"
refuse 3 "does not compile" run "$work/syntax.c"
refuse 3 "has no task 'x'" run "$simple::x"
refuse 3 "there is no task of that name" run --result-x=1 "$simple"
refuse 3 "no task that the options leave" run --tags=none "$simple"
refuse 3 "setup_state" run --nap=x "$simple"
module symbol << 'MODULE'
int nobody_has_this(void);
DISTRIBUTOR_TASK(a) { return nobody_has_this(); }
MODULE
refuse 3 "undefined symbol: nobody_has_this" run "$work/symbol.c"
module unknown << 'MODULE'
DISTRIBUTOR_TASK(a, .after = {"x"}) { return 0; }
MODULE
refuse 3 "a comes after x, and no node has that name" run "$work/unknown.c"
module cycle << 'MODULE'
DISTRIBUTOR_TASK(a, .after = {"b"}) { return 0; }
DISTRIBUTOR_TASK(b, .after = {"a"}) { return 0; }
MODULE
refuse 3 "there is a cycle" run "$work/cycle.c"
refuse 3 "there is a cycle" graph "$work/cycle.c"
module twice << 'MODULE'
DISTRIBUTOR_TASK(a) { return 0; }
MODULE
cp "$work/twice.c" "$work/again.c"
CFLAGS="-x c $work/again.c" && export CFLAGS
refuse 3 "a" run "$work/twice.c"
unset CFLAGS
CC=/nowhere/cc refuse 3 "cannot run the compiler '/nowhere/cc'" run "$work/twice.c"

# 4: the system.
echo 'no json' > "$work/text.json"
refuse 4 "--state-file=$work/text.json" run --state-file "$work/text.json" "$simple"
echo '[1]' > "$work/array.json"
refuse 4 "--state-file=$work/array.json" run --state-file "$work/array.json" "$simple"
refuse 4 "--state-file=$work" run --state-file "$work" "$simple"
refuse 4 "--trace=$work: " run --trace "$work" "$simple"
if [ -w /dev/full ]; then
    src/cli/distributor graph "$simple" > /dev/full 2> "$work/err"
    [ $? = 4 ] || wrong "a full disk: not status 4"
fi
finish
